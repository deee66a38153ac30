//! Counters of actions, spread over the threads of the program, because each message changes two of them.

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::available_parallelism;

use http::StatusCode;
use serde::Serialize;

/// How an action has ended, by the status of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ActionOutcome {
    /// It has replied, with a status from 200 to 299 or without a reply.
    Succeeded,
    /// A status from 400 to 499 other than the two below: a permission, the arguments or the action itself has refused.
    Refused,
    /// 408: the action has exceeded its time limit.
    TimedOut,
    /// 500 or another status that is a fault.
    Failed,
    /// 499: the client has cancelled the message, or the connection has ended before the reply.
    Cancelled,
}

impl ActionOutcome {
    /// Returns the outcome that a status stands for.
    pub(crate) fn of(status: StatusCode) -> ActionOutcome {
        match status.as_u16() {
            499 => ActionOutcome::Cancelled,
            408 => ActionOutcome::TimedOut,
            400..=499 => ActionOutcome::Refused,
            500.. => ActionOutcome::Failed,
            _ => ActionOutcome::Succeeded,
        }
    }
}

/// The actions of an endpoint since it was created. An action is a text message that was evaluated, whether or not its
/// permissions hold and the action that it names exists; `authenticate` is one too, `cancel` is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ActionCounts {
    /// Actions that have started: `in_progress` and all that have ended.
    pub started: u64,
    /// Actions that have ended as [`ActionOutcome::Succeeded`].
    pub succeeded: u64,
    /// Actions that have ended as [`ActionOutcome::Refused`].
    pub refused: u64,
    /// Actions that have ended as [`ActionOutcome::TimedOut`].
    pub timed_out: u64,
    /// Actions that have ended as [`ActionOutcome::Failed`].
    pub failed: u64,
    /// Actions that have ended as [`ActionOutcome::Cancelled`].
    pub cancelled: u64,
    /// Actions in progress, with their checks. A stream is in progress until its last reply is written.
    pub in_progress: u64,
    /// [Detached](macro@crate::action) actions whose slot is taken: until their last reply is sent, which is later than their end.
    pub detached: u64,
    /// Actions in progress whose [stream](crate::Streamed) has begun.
    pub streams: u64,
}

/// The cells of some threads, on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct ActionShard {
    started: AtomicU64,
    succeeded: AtomicU64,
    refused: AtomicU64,
    timed_out: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
}

impl ActionShard {
    #[inline]
    fn ended(&self, outcome: ActionOutcome) -> &AtomicU64 {
        match outcome {
            ActionOutcome::Succeeded => &self.succeeded,
            ActionOutcome::Refused => &self.refused,
            ActionOutcome::TimedOut => &self.timed_out,
            ActionOutcome::Failed => &self.failed,
            ActionOutcome::Cancelled => &self.cancelled,
        }
    }
}

/// The cells behind the first part of [`ActionCounts`], a shard per thread that can run at the same time.
#[derive(Debug)]
pub(super) struct ActionCells {
    /// Not empty; the number is a power of two.
    shards: Box<[ActionShard]>,
}

impl Default for ActionCells {
    fn default() -> ActionCells {
        let threads = available_parallelism().map_or(1, NonZero::get).next_power_of_two();
        ActionCells { shards: (0..threads).map(|_| ActionShard::default()).collect() }
    }
}

impl ActionCells {
    #[inline]
    fn shard(&self) -> &ActionShard {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static INDEX: usize = THREADS.fetch_add(1, Ordering::Relaxed);
        }
        // A thread that ends has no index.
        &self.shards[INDEX.try_with(|index| *index).unwrap_or(0) & (self.shards.len() - 1)]
    }

    #[inline]
    pub(super) fn record_start(&self) {
        self.shard().started.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an action as ended. `Release`, so that a snapshot that has read this has read its start too.
    #[inline]
    pub(super) fn record_end(&self, outcome: ActionOutcome) {
        self.shard().ended(outcome).fetch_add(1, Ordering::Release);
    }

    /// Returns the sums. What has ended is read first, so that nothing ends more often than it started.
    pub(super) fn snapshot(&self) -> ActionCounts {
        let sum = |outcome| self.shards.iter().map(|shard| shard.ended(outcome).load(Ordering::Acquire)).sum::<u64>();
        let (succeeded, refused) = (sum(ActionOutcome::Succeeded), sum(ActionOutcome::Refused));
        let (timed_out, failed) = (sum(ActionOutcome::TimedOut), sum(ActionOutcome::Failed));
        let cancelled = sum(ActionOutcome::Cancelled);
        let started = self.shards.iter().map(|shard| shard.started.load(Ordering::Relaxed)).sum::<u64>();
        let in_progress = started.saturating_sub(succeeded + refused + timed_out + failed + cancelled);
        let (detached, streams) = (0, 0);
        ActionCounts { started, succeeded, refused, timed_out, failed, cancelled, in_progress, detached, streams }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_many_threads_add_up() {
        let cells = ActionCells::default();
        std::thread::scope(|scope| {
            for thread in 0_u64..12 {
                let cells = &cells;
                scope.spawn(move || {
                    for number in 0..1000 + thread {
                        cells.record_start();
                        let status = [200, 403, 408, 500, 499, 204][usize::try_from(number % 6).unwrap()];
                        cells.record_end(ActionOutcome::of(StatusCode::from_u16(status).unwrap()));
                    }
                    cells.record_start();
                });
            }
        });
        let counts = cells.snapshot();
        let ActionCounts { succeeded, refused, timed_out, failed, cancelled, .. } = counts;
        assert_eq!((counts.started, counts.in_progress), (12_000 + 66 + 12, 12), "{counts:?}");
        assert_eq!(counts.started - counts.in_progress, succeeded + refused + timed_out + failed + cancelled);
        assert!(succeeded > refused && [refused, timed_out, failed, cancelled].iter().all(|count| *count >= 2000));
    }
}
