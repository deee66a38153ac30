//! A limiter for a single owner that seldom reads the clock.

use std::time::Duration;

use tokio::time::Instant;

use super::Rate;

/// Counts against a rate, by tokens that are credited only when none is left. A token that is left needs no clock.
///
/// What is guaranteed, for a rate of `r` and a burst of `b`: within `t` after its creation a bucket gives at most `b + r * t`
/// tokens, and within any time `t` at most `2 * b + r * t`, because tokens that were left by a quiet owner do not count
/// against those of the next credit. An owner that keeps the rate and the burst is never refused.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    /// Time per token.
    interval: Duration,
    burst: u32,
    tokens: u32,
    /// Up to when tokens are credited.
    credited_until: Instant,
}

impl TokenBucket {
    /// Creates a full bucket.
    pub(crate) fn new(rate: Rate) -> TokenBucket {
        let burst = rate.burst.get();
        TokenBucket { interval: rate.interval(), burst, tokens: burst, credited_until: Instant::now() }
    }

    /// Takes a token.
    ///
    /// # Errors
    ///
    /// The time after which there is one, if there is none.
    #[inline]
    pub(crate) fn take(&mut self) -> Result<(), Duration> {
        if self.tokens == 0 {
            self.credit(Instant::now())?;
        }
        self.tokens -= 1;
        Ok(())
    }

    /// Credits the tokens since the last credit, at least one.
    #[cold]
    fn credit(&mut self, now: Instant) -> Result<(), Duration> {
        let elapsed = now.saturating_duration_since(self.credited_until);
        let Some(missing) = self.interval.checked_sub(elapsed).filter(|missing| !missing.is_zero()) else {
            let due = u32::try_from(elapsed.as_nanos() / self.interval.as_nanos()).unwrap_or(u32::MAX);
            if due < self.burst {
                (self.tokens, self.credited_until) = (due, self.credited_until + self.interval * due);
            } else {
                (self.tokens, self.credited_until) = (self.burst, now);
            }
            return Ok(());
        };
        Err(missing)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::time::advance;

    use super::*;

    /// A bucket that is brought up to date at each occurrence, in units of an interval.
    struct StrictBucket {
        level: f64,
        burst: f64,
    }

    impl StrictBucket {
        fn take(&mut self, elapsed: f64) -> bool {
            self.level = (self.level + elapsed).min(self.burst);
            let is_admitted = self.level >= 1.0;
            self.level -= f64::from(u8::from(is_admitted));
            is_admitted
        }
    }

    /// Runs a future with a paused clock.
    fn run(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(test)
    }

    /// Quarters of an interval between occurrences.
    fn arbitrary_gaps() -> impl Strategy<Value = Vec<u32>> {
        let gap = prop_oneof![4 => Just(0), 3 => 0..8_u32, 1 => 0..200_u32];
        proptest::collection::vec(gap, 1..200)
    }

    const QUARTER: Duration = Duration::from_millis(250);

    proptest! {
        #[test]
        fn bucket_gives_no_more_than_its_rate_and_burst(burst in 1..12_u32, gaps in arbitrary_gaps()) {
            run(async {
                let mut bucket = TokenBucket::new(Rate::per_second(1).burst(burst));
                let (mut now, mut taken) = (0_u32, Vec::new());
                for gap in gaps {
                    advance(QUARTER * gap).await;
                    now += gap;
                    match bucket.take() {
                        Ok(()) => taken.push(now),
                        Err(wait) => prop_assert!(!wait.is_zero() && wait <= Duration::from_secs(1), "{:?}", wait),
                    }
                }
                for (index, last) in taken.iter().enumerate() {
                    prop_assert!(index < (burst + last / 4) as usize, "{} by {}", index + 1, last);
                    for (count, first) in taken[..=index].iter().rev().enumerate() {
                        let most = 2 * burst + (last - first) / 4 + 1;
                        prop_assert!(count < most as usize, "{} from {} to {}", count + 1, first, last);
                    }
                }
                Ok(())
            })?;
        }

        #[test]
        fn owner_that_keeps_the_rate_is_never_refused(burst in 1..12_u32, gaps in arbitrary_gaps()) {
            run(async {
                let mut bucket = TokenBucket::new(Rate::per_second(1).burst(burst));
                let mut strict = StrictBucket { level: f64::from(burst), burst: f64::from(burst) };
                let mut waited = 0;
                for gap in gaps {
                    advance(QUARTER * gap).await;
                    waited += gap;
                    // Occurrences that the oracle refuses are not made.
                    if strict.take(f64::from(std::mem::take(&mut waited)) / 4.0) {
                        prop_assert_eq!(bucket.take(), Ok(()));
                    }
                }
                Ok(())
            })?;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_to_wait_is_exact() {
        let mut bucket = TokenBucket::new(Rate::per_minute(2).burst(1));
        assert_eq!(bucket.take(), Ok(()));
        advance(Duration::from_secs(10)).await;
        assert_eq!(bucket.take(), Err(Duration::from_secs(20)));
        advance(Duration::from_secs(20)).await;
        assert_eq!(bucket.take(), Ok(()));
        assert_eq!(bucket.take(), Err(Duration::from_secs(30)), "the burst is one");
    }
}
