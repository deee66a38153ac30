//! The delays between attempts to connect.

use std::time::Duration;

const FIRST_DELAY: Duration = Duration::from_millis(50);
const MAX_DELAY: Duration = Duration::from_secs(1);

/// Returns how long to wait after a number of attempts that failed one after the other: 50 ms, doubling up to 1 s, of which
/// the second half is random, so that the machines of a service do not connect all at the same time.
pub(super) fn retry_delay(failed_attempts: u32) -> Duration {
    let exponent = failed_attempts.saturating_sub(1).min(10);
    let delay = MAX_DELAY.min(FIRST_DELAY * 2_u32.pow(exponent));
    // Without random numbers, the delays are merely not spread.
    let random = getrandom::u32().unwrap_or(u32::MAX);
    delay / 2 + (delay / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_delay_doubles_up_to_a_second() {
        for (failed_attempts, milliseconds) in [(0, 50), (1, 50), (2, 100), (5, 800), (6, 1000), (u32::MAX, 1000)] {
            let most = Duration::from_millis(milliseconds);
            for _ in 0..100 {
                let delay = retry_delay(failed_attempts);
                assert!(most / 2 <= delay && delay <= most, "{failed_attempts} attempts: {delay:?}");
            }
        }
    }
}
