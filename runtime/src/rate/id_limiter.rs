//! A rate limiter that counts by user id.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use super::Rate;
use super::keyed_limiter::KeyedLimiter;

/// Counts per id. The keys are hashes of the ids, so that a long id needs no more memory, and no check allocates one.
pub(crate) struct IdLimiter {
    hasher: RandomState,
    by_hash: KeyedLimiter<u64>,
}

impl IdLimiter {
    pub(crate) fn new(rate: Rate) -> IdLimiter {
        IdLimiter { hasher: RandomState::new(), by_hash: KeyedLimiter::new(rate) }
    }

    /// Counts an occurrence.
    ///
    /// # Errors
    ///
    /// The time after which it would be admitted, if the rate is exceeded. It is not counted then.
    pub(crate) fn check(&self, id: &str) -> Result<(), Duration> {
        self.by_hash.check(&self.hasher.hash_one(id))
    }
}
