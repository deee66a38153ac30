//! Rates, and limiters that count by a key.

mod address_limiter;
mod id_limiter;
mod key_states;
mod keyed_limiter;
mod token_bucket;

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

pub(crate) use address_limiter::AddressLimiter;
pub(crate) use id_limiter::IdLimiter;
pub(crate) use keyed_limiter::KeyedLimiter;
pub(crate) use token_bucket::TokenBucket;

/// How often something may happen: on average, and in a row.
///
/// A count in a row is taken from an allowance that fills up at the average rate. Without [`burst`](Rate::burst) it is as large
/// as the count per period: [`per_minute(60)`](Rate::per_minute) allows sixty at once, and one more each second.
///
/// ```
/// use portcullis::{Limits, Rate};
///
/// /// Two per second on average, and twenty in a row after a pause of ten seconds.
/// const HANDSHAKES: Rate = Rate::per_second(2).burst(20);
///
/// let limits = Limits { handshakes_per_address: Some(HANDSHAKES), ..Limits::default() };
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    per_period: NonZeroU32,
    period: Duration,
    burst: NonZeroU32,
}

impl Rate {
    /// Creates a rate of `count` per second, with a burst of `count`.
    ///
    /// # Panics
    ///
    /// Panics if `count` is zero. In a constant, this is a compile error.
    #[must_use]
    pub const fn per_second(count: u32) -> Rate {
        Rate::new(count, Duration::from_secs(1))
    }

    /// Creates a rate of `count` per minute, with a burst of `count`.
    ///
    /// # Panics
    ///
    /// Panics if `count` is zero. In a constant, this is a compile error.
    #[must_use]
    pub const fn per_minute(count: u32) -> Rate {
        Rate::new(count, Duration::from_mins(1))
    }

    /// Creates a rate of `count` per hour, with a burst of `count`.
    ///
    /// # Panics
    ///
    /// Panics if `count` is zero. In a constant, this is a compile error.
    #[must_use]
    pub const fn per_hour(count: u32) -> Rate {
        Rate::new(count, Duration::from_hours(1))
    }

    const fn new(count: u32, period: Duration) -> Rate {
        let Some(count) = NonZeroU32::new(count) else { panic!("a rate of zero admits nothing; write at least 1") };
        Rate { per_period: count, period, burst: count }
    }

    /// Sets how many are allowed in a row.
    ///
    /// # Panics
    ///
    /// Panics if `count` is zero. In a constant, this is a compile error.
    #[must_use]
    pub const fn burst(mut self, count: u32) -> Rate {
        let Some(count) = NonZeroU32::new(count) else { panic!("a burst of zero admits nothing; write at least 1") };
        self.burst = count;
        self
    }

    /// Returns the rate multiplied by `factor`.
    pub(crate) fn times(self, factor: NonZeroU32) -> Rate {
        let Rate { per_period, period, burst } = self;
        Rate { per_period: per_period.saturating_mul(factor), period, burst: burst.saturating_mul(factor) }
    }

    /// Returns the time between two occurrences at the average rate.
    fn interval(self) -> Duration {
        // More than one per nanosecond is not measurable.
        (self.period / self.per_period.get()).max(Duration::from_nanos(1))
    }

    pub(crate) fn quota(self) -> Quota {
        let interval = self.interval();
        // `governor` counts the time in which a burst fills up, and the time since its start, in nanoseconds of 64 bits. A
        // burst is cut to one that fills up within 146 years.
        let max_burst = u128::from(u64::MAX / 4) / interval.as_nanos();
        let burst =
            self.burst.min(NonZeroU32::new(u32::try_from(max_burst).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN));
        let quota = Quota::with_period(interval);
        quota.unwrap_or_else(|| unreachable!("bug: an interval of zero")).allow_burst(burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quota_has_the_interval_and_the_burst_of_the_rate() {
        let quota = Rate::per_second(5).burst(20).quota();
        assert_eq!((quota.replenish_interval(), quota.burst_size().get()), (Duration::from_millis(200), 20));
        let quota = Rate::per_minute(1).quota();
        assert_eq!((quota.replenish_interval(), quota.burst_size().get()), (Duration::from_mins(1), 1));
        let fastest = Rate::per_second(u32::MAX).times(NonZeroU32::MAX).quota();
        assert_eq!((fastest.replenish_interval(), fastest.burst_size()), (Duration::from_nanos(1), NonZeroU32::MAX));
    }

    #[test]
    fn burst_that_fills_up_in_thousands_of_years_overflows_nothing() {
        let limiter = KeyedLimiter::new(Rate::per_hour(1).burst(u32::MAX));
        assert!((0..10_000).all(|_| limiter.check(&7).is_ok()));
        let address = AddressLimiter::new(Rate::per_hour(1).burst(u32::MAX));
        assert!((0..10_000).all(|_| address.check([192, 0, 2, 1].into()).is_ok()));
        let burst = Rate::per_hour(1).burst(u32::MAX).quota().burst_size().get();
        assert!(burst > 1_000_000, "{burst}");
    }

    #[test]
    fn rate_of_zero_panics() {
        for rate in [Rate::per_second, Rate::per_minute, Rate::per_hour, |count| Rate::per_second(1).burst(count)] {
            assert!(crate::panic::catch_unwind(|| rate(0)).is_err());
        }
    }
}
