//! Time limits: of a future, as an instant, and as seconds.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::task::coop::{has_budget_remaining, unconstrained};
use tokio::time::{Instant, Sleep, sleep};

pin_project! {
    /// A future with a time limit, see [`deadline`].
    pub(crate) struct Deadline<F> {
        #[pin]
        future: F,
        timeout: Duration,
        timer: Option<Pin<Box<Sleep>>>,
    }
}

/// Limits the time of a future: the output is `None` if `timeout` expires before the future is ready.
///
/// The timer starts at the first poll that returns `Pending`, so a future that is ready at once needs no timer.
pub(crate) fn deadline<F: Future>(timeout: Duration, future: F) -> Deadline<F> {
    Deadline { future, timeout, timer: None }
}

impl<F> Deadline<F> {
    /// Returns when the time limit expires, or `None` if the future was ready at the first poll and no timer was started.
    pub(crate) fn expires_at(&self) -> Option<Instant> {
        self.timer.as_ref().map(|timer| timer.deadline())
    }
}

impl<F: Future> Future for Deadline<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = has_budget_remaining();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Some(output));
        }
        let timeout = *this.timeout;
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(timeout))).as_mut();
        // A timer without budget is pending. A future that uses up the budget in each poll would never time out.
        if had_budget && !has_budget_remaining() {
            ready!(pin!(unconstrained(timer)).poll(cx));
        } else {
            ready!(timer.poll(cx));
        }
        Poll::Ready(None)
    }
}

/// Returns the seconds of a duration, rounded up, as replies and headers carry them.
pub(crate) fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

/// Adds a duration to an instant, or one year if the clock cannot represent the sum.
pub(crate) fn add_saturating(instant: Instant, duration: Duration) -> Instant {
    const FAR_FUTURE: Duration = Duration::from_hours(24 * 365);
    instant.checked_add(duration).unwrap_or_else(|| instant + FAR_FUTURE)
}

#[cfg(test)]
mod tests {
    use tokio::task::coop::consume_budget;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn future_that_uses_up_its_budget_in_each_poll_times_out() {
        let busy = async {
            loop {
                consume_budget().await;
            }
        };
        let outcome: Option<()> =
            timeout(Duration::from_secs(20), deadline(Duration::from_millis(20), busy)).await.unwrap();
        assert!(outcome.is_none());
    }
}
