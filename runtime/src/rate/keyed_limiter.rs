//! A rate limiter with a bounded number of keys.

use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::RateLimiter;
use governor::clock::{Clock, DefaultClock};

use super::Rate;
use super::key_states::KeyStates;

/// The maximum number of keys that are counted one by one. About 5 MB for addresses.
const MAX_KEYS: usize = 100_000;

/// How much higher the rate of a coarse key is than that of a key.
const COARSE_FACTOR: NonZeroU32 = NonZeroU32::new(64).unwrap();

/// How often keys are removed whose allowance is full again.
const REMOVAL_INTERVAL: Duration = Duration::from_mins(1);
/// How often they are removed while there are too many keys.
const REMOVAL_INTERVAL_WHEN_FULL: Duration = Duration::from_secs(1);

/// Counts by a key. If there are too many keys, counts a further one by its coarse key in place of it, so that an attacker with
/// many keys neither takes unbounded memory nor uses up the allowance of all others.
///
/// A call takes one lock, and a second one if there are too many keys.
pub(crate) struct KeyedLimiter<K: Clone + Eq + Hash> {
    exact: RateLimiter<K, KeyStates<K>, DefaultClock>,
    /// Those of `exact`.
    keys: KeyStates<K>,
    coarse: RateLimiter<u32, KeyStates<u32>, DefaultClock>,
    max_keys: usize,
    hasher: RandomState,
    created_at: Instant,
    /// When keys were last removed, in milliseconds after `created_at`.
    removed_at: AtomicU64,
}

impl<K: Clone + Eq + Hash> KeyedLimiter<K> {
    pub(crate) fn new(rate: Rate) -> KeyedLimiter<K> {
        KeyedLimiter::with_max_keys(rate, MAX_KEYS)
    }

    pub(super) fn with_max_keys(rate: Rate, max_keys: usize) -> KeyedLimiter<K> {
        let keys = KeyStates::new();
        let coarse_quota = rate.times(COARSE_FACTOR).quota();
        KeyedLimiter {
            exact: RateLimiter::new(rate.quota(), keys.clone(), DefaultClock::default()),
            keys,
            coarse: RateLimiter::new(coarse_quota, KeyStates::new(), DefaultClock::default()),
            max_keys,
            hasher: RandomState::new(),
            created_at: Instant::now(),
            removed_at: AtomicU64::new(0),
        }
    }

    /// Counts an occurrence. If there are too many keys, further ones whose hashes end with the same 16 bits are counted
    /// together. A key that is counted by itself stays so until its allowance is full.
    ///
    /// # Errors
    ///
    /// The time after which it would be admitted, if the rate is exceeded. It is not counted then.
    pub(crate) fn check(&self, key: &K) -> Result<(), Duration> {
        self.check_coarse(key, |hasher| hash_16(hasher, key))
    }

    /// Counts an occurrence as [`check`](KeyedLimiter::check) does. `coarse_key` is called for a key above the maximum number,
    /// and returns one of few numbers.
    pub(super) fn check_coarse(&self, key: &K, coarse_key: impl FnOnce(&RandomState) -> u32) -> Result<(), Duration> {
        self.remove_keys_if_due();
        let outcome = if self.is_full() && !self.contains(key) {
            self.coarse.check_key(&coarse_key(&self.hasher))
        } else {
            self.exact.check_key(key)
        };
        outcome.map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()))
    }

    /// Returns whether a key is counted by itself.
    pub(super) fn contains(&self, key: &K) -> bool {
        self.keys.contains(key)
    }

    fn is_full(&self) -> bool {
        self.keys.count() >= self.max_keys
    }

    /// Removes keys whose allowance is full. That changes no outcome.
    fn remove_keys_if_due(&self) {
        let elapsed = u64::try_from(self.created_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let removed_at = self.removed_at.load(Ordering::Relaxed);
        let interval = if self.is_full() { REMOVAL_INTERVAL_WHEN_FULL } else { REMOVAL_INTERVAL };
        if u128::from(elapsed.saturating_sub(removed_at)) < interval.as_millis() {
            return;
        }
        // One thread removes them.
        if self.removed_at.compare_exchange(removed_at, elapsed, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.exact.retain_recent();
            // Copies all keys, in vain if they come again.
            if !self.is_full() {
                self.exact.shrink_to_fit();
            }
            self.coarse.retain_recent();
        }
    }
}

/// Returns 16 bits of a hash.
pub(super) fn hash_16(hasher: &RandomState, value: impl Hash) -> u32 {
    let [.., high, low] = hasher.hash_one(value).to_be_bytes();
    u32::from(u16::from_be_bytes([high, low]))
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;

    use super::*;

    const RATE: Rate = Rate::per_hour(1);

    #[test]
    fn memory_is_bounded_however_many_keys_there_are() {
        let limiter = KeyedLimiter::new(RATE);
        let check_all = |range: std::ops::Range<u32>| {
            measure(|| {
                for key in range.clone() {
                    // Its prefix of 16 bits, as for IPv4.
                    let _ = limiter.check_coarse(&key, |_| key >> 16);
                }
            })
        };
        let first = check_all(0..100_000);
        assert!(first.bytes_current < 8 * 1024 * 1024, "{first:?}");
        let rest = check_all(100_000..1_000_000);
        assert!(rest.bytes_current < 64 * 1024, "{rest:?}");
    }

    #[test]
    fn key_beyond_the_maximum_is_counted_with_those_of_its_coarse_key() {
        let limiter = KeyedLimiter::with_max_keys(RATE, 2);
        let check = |key: &str, coarse_key| limiter.check_coarse(&key.to_owned(), |_| coarse_key).is_ok();
        assert!(check("a", 1) && check("b", 1));
        let count_admitted = |coarse_key| (0..1000).filter(|key| check(&key.to_string(), coarse_key)).count();
        assert_eq!(count_admitted(1), 64, "64 times the rate");
        assert_eq!(count_admitted(2), 64, "another coarse key has an allowance of its own");
    }

    #[test]
    fn key_that_is_counted_by_itself_stays_so_when_there_are_too_many() {
        let limiter = KeyedLimiter::with_max_keys(RATE.burst(3), 2);
        let check = |key: u32| limiter.check_coarse(&key, |_| 1).is_ok();
        assert!(check(1) && check(2));
        // Uses up the allowance of the coarse key, which is that of the first two keys too.
        assert_eq!((3..10_000).filter(|key| check(*key)).count(), 3 * 64);
        for key in [1, 2] {
            assert_eq!((0..10).filter(|_| check(key)).count(), 2, "what is left of an allowance of its own");
        }
    }

    #[test]
    fn key_whose_allowance_is_full_again_makes_room() {
        let limiter = KeyedLimiter::with_max_keys(Rate::per_second(1_000_000), 2);
        let created_at = Instant::now().checked_sub(REMOVAL_INTERVAL_WHEN_FULL).unwrap();
        let limiter = KeyedLimiter { created_at, ..limiter };
        assert!(limiter.check(&1).is_ok() && limiter.check(&2).is_ok() && limiter.is_full());
        let start = Instant::now();
        // An allowance is full again after a microsecond.
        while limiter.keys.count() != 1 {
            assert!(start.elapsed() < Duration::from_secs(20), "the keys are never removed");
            // As after the interval.
            limiter.removed_at.store(0, Ordering::Relaxed);
            let _ = limiter.check(&3);
        }
    }
}
