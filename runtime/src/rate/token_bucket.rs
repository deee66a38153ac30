//! A limiter for a single owner that seldom reads the clock.

use std::time::Duration;

use tokio::time::Instant;

use super::Rate;

/// Counts against a rate, by tokens that are credited only when none is left. A token that is left needs no clock.
///
/// What is guaranteed, for a rate of `r` and a burst of `b`: within `t` after its creation a bucket gives at most `b + r * t`
/// tokens, and within any time `t` at most `2 * b + r * (t + d)`, because tokens that were left by a quiet owner do not count
/// against those of the next credit. `d` is how long the first occurrence of that time and those before it were delayed. An
/// owner that keeps the rate and the burst is never refused, even if its occurrences are counted late.
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

    /// Takes a token for an occurrence. It may be counted late: all that occurred before `delayed_since` was counted then.
    ///
    /// # Errors
    ///
    /// The time at which the next token is available, if none is left.
    #[inline]
    pub(crate) fn take(&mut self, delayed_since: Instant) -> Result<(), Instant> {
        if self.tokens == 0 {
            self.credit(Instant::now(), delayed_since)?;
        }
        self.tokens -= 1;
        Ok(())
    }

    /// Credits the tokens since the last credit, at least one. At `delayed_since` the bucket held at most the burst; what is
    /// earned since is not lost.
    #[cold]
    fn credit(&mut self, now: Instant, delayed_since: Instant) -> Result<(), Instant> {
        let next = self.credited_until + self.interval;
        if now < next {
            return Err(next);
        }
        let is_full = delayed_since.saturating_duration_since(self.credited_until) >= self.interval * self.burst;
        let (tokens_before, credited_before) =
            if is_full { (self.burst, delayed_since) } else { (0, self.credited_until) };
        let earned = self.count_within(now.saturating_duration_since(credited_before));
        self.tokens = tokens_before.saturating_add(earned);
        self.credited_until = credited_before.min(now) + self.interval * earned;
        Ok(())
    }

    /// Returns how many tokens a time is worth.
    fn count_within(&self, time: Duration) -> u32 {
        u32::try_from(time.as_nanos() / self.interval.as_nanos()).unwrap_or(u32::MAX)
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
                    match bucket.take(Instant::now()) {
                        Ok(()) => taken.push(now),
                        Err(next) => {
                            let wait = next - Instant::now();
                            prop_assert!(!wait.is_zero() && wait <= Duration::from_secs(1), "{:?}", wait);
                        }
                    }
                }
                for (index, last) in taken.iter().enumerate() {
                    prop_assert!(index < (burst + last / 4) as usize, "{} by {}", index + 1, last);
                    for (index, first) in taken[..=index].iter().rev().enumerate() {
                        let max_taken = 2 * burst + (last - first) / 4;
                        prop_assert!(index < max_taken as usize, "{} from {} to {}", index + 1, first, last);
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
                        prop_assert_eq!(bucket.take(Instant::now()), Ok(()));
                    }
                }
                Ok(())
            })?;
        }

        /// After each gap, the owner may be counted or not; what is not counted is counted when the next one is.
        #[test]
        fn owner_that_is_counted_late_is_refused_as_little_and_gets_no_more(
            burst in 1..12_u32,
            gaps in arbitrary_gaps(),
            late in proptest::collection::vec(any::<bool>(), 200),
        ) {
            run(async {
                let mut bucket = TokenBucket::new(Rate::per_second(1).burst(burst));
                let mut strict = StrictBucket { level: f64::from(burst), burst: f64::from(burst) };
                let (mut waited, mut occurred, mut delayed_since) = (0, 0, None);
                let (mut now, mut taken) = (0, 0);
                for (gap, is_late) in gaps.into_iter().zip(late) {
                    advance(QUARTER * gap).await;
                    (waited, now) = (waited + gap, now + gap);
                    occurred += u32::from(strict.take(f64::from(std::mem::take(&mut waited)) / 4.0));
                    let since = *delayed_since.get_or_insert_with(Instant::now);
                    if is_late {
                        continue;
                    }
                    for _ in 0..std::mem::take(&mut occurred) {
                        prop_assert_eq!(bucket.take(since), Ok(()));
                        taken += 1;
                    }
                    // A flood, of which no more gets through than the rate and the burst allow since the creation.
                    if gap % 7 == 6 {
                        while bucket.take(since).is_ok() {
                            taken += 1;
                        }
                        strict.level = 0.0;
                    }
                    prop_assert!(taken <= burst + now / 4, "{} by {}", taken, now);
                    delayed_since = None;
                }
                Ok(())
            })?;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_to_wait_is_exact() {
        let mut bucket = TokenBucket::new(Rate::per_minute(2).burst(1));
        let start = Instant::now();
        assert_eq!(bucket.take(start), Ok(()));
        advance(Duration::from_secs(10)).await;
        assert_eq!(bucket.take(Instant::now()), Err(start + Duration::from_secs(30)));
        advance(Duration::from_secs(20)).await;
        assert_eq!(bucket.take(Instant::now()), Ok(()));
        assert_eq!(bucket.take(Instant::now()), Err(start + Duration::from_mins(1)), "the burst is one");
    }
}
