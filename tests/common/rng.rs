//! Numbers for random tests that can be run again.

use std::fmt::Debug;

/// A number that is as good as random, and the same in each run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// From nought to one below that.
    pub(crate) fn roll<N: TryFrom<u64, Error: Debug> + TryInto<u64, Error: Debug>>(&mut self, sides: N) -> N {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        N::try_from(self.0 % sides.try_into().unwrap()).unwrap()
    }
}
