//! Reproducible pseudo-random numbers.

use std::fmt::Debug;

/// A xorshift generator; the field is its state, initially the seed.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    /// Returns a number from 0 to `end - 1`.
    pub(crate) fn below<N: TryFrom<u64, Error: Debug> + TryInto<u64, Error: Debug>>(&mut self, end: N) -> N {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        N::try_from(self.0 % end.try_into().unwrap()).unwrap()
    }
}
