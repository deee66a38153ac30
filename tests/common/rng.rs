//! Numbers for random tests that can be run again.

use std::fmt::Debug;

/// A number that is as good as random, and the same in each run.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    /// From nought to one below that.
    pub(crate) fn below<N: TryFrom<u64, Error: Debug> + TryInto<u64, Error: Debug>>(&mut self, end: N) -> N {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        N::try_from(self.0 % end.try_into().unwrap()).unwrap()
    }
}
