//! How long the rights of a machine hold without a word from the broker. [`node`](super::node) has the protocol.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::sync::ignore_poison;

/// How long rights hold after a heartbeat that came back was sent.
pub(crate) const LEASE: Duration = Duration::from_secs(6);

/// The longest pause of a process that the guarantee covers, which is four seconds, and a second in which timers may be late and
/// changes wait for evaluations.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The longest time for which a machine that hears nothing of a change uses rights from before it.
pub(crate) const MAX_SILENCE: Duration = LEASE.saturating_add(MAX_PAUSE);

/// The lease of a machine. It has ended until it is extended. Its time goes on while the computer is suspended.
pub(super) struct Lease {
    started_at: LeaseTime,
    suspended: fn() -> Duration,
    /// In milliseconds after the start. Read without a lock, because every message reads it.
    ends_at: AtomicU64,
    /// Protects the own messages on the control channel that are not back yet, with the times at which they were sent.
    sent: Mutex<VecDeque<(u64, LeaseTime)>>,
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LeaseTime {
    /// By a clock that stands still while the computer is suspended.
    pub(super) instant: Instant,
    /// How long the computer has been suspended until then.
    suspended: Duration,
}

impl Lease {
    /// Begins now. `suspended` returns how long the computer has been suspended so far.
    pub(super) fn new(suspended: fn() -> Duration) -> Lease {
        let started_at = LeaseTime { suspended: suspended(), instant: Instant::now() };
        Lease { started_at, suspended, ends_at: AtomicU64::new(0), sent: Mutex::default() }
    }

    pub(super) fn started_at(&self) -> Instant {
        self.started_at.instant
    }

    pub(super) fn now(&self) -> LeaseTime {
        LeaseTime { suspended: (self.suspended)(), instant: Instant::now() }
    }

    /// Returns whether the lease has ended.
    #[inline]
    pub(super) fn has_ended(&self, now: LeaseTime) -> bool {
        self.millis(now) >= self.ends_at.load(Ordering::SeqCst)
    }

    /// Returns when the lease ends, unless the computer is suspended meanwhile.
    pub(super) fn ends_at(&self) -> Instant {
        let suspended = (self.suspended)().saturating_sub(self.started_at.suspended);
        let ends_after = Duration::from_millis(self.ends_at.load(Ordering::SeqCst));
        self.started_at.instant + ends_after.saturating_sub(suspended)
    }

    /// Extends the lease to [`LEASE`] after `begun_at`.
    pub(super) fn extend(&self, begun_at: LeaseTime) {
        let LeaseTime { instant, suspended } = begun_at;
        self.ends_at.fetch_max(self.millis(LeaseTime { instant: instant + LEASE, suspended }), Ordering::SeqCst);
    }

    /// Records that a message is about to be sent.
    pub(super) fn record_sent(&self, sequence: u64) {
        let now = self.now();
        let mut sent = ignore_poison(self.sent.lock());
        // What is not back by now would not extend the lease.
        while sent.front().is_some_and(|(_, sent_at)| now.instant.duration_since(sent_at.instant) > LEASE) {
            sent.pop_front();
        }
        sent.push_back((sequence, now));
    }

    /// Returns when a message that is back was sent, if that is known, and forgets it and those before it.
    pub(super) fn take_sent(&self, sequence: u64) -> Option<LeaseTime> {
        let mut sent = ignore_poison(self.sent.lock());
        while let Some((first, sent_at)) = sent.pop_front() {
            if first == sequence {
                return Some(sent_at);
            }
            if first > sequence {
                sent.push_front((first, sent_at));
                return None;
            }
        }
        None
    }

    fn millis(&self, time: LeaseTime) -> u64 {
        let running = time.instant.duration_since(self.started_at.instant);
        let suspended = time.suspended.saturating_sub(self.started_at.suspended);
        u64::try_from((running + suspended).as_millis()).unwrap_or(u64::MAX)
    }
}

/// Returns how long the computer has been suspended since it was started, as far as the operating system tells.
#[cfg(all(target_os = "linux", any(feature = "nats", feature = "redis")))]
pub(super) fn suspended() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    // In this order, a pause between the two readings does not count: a lease must not be extended by it.
    let since_boot = read(ClockId::Boottime);
    since_boot.saturating_sub(read(ClockId::Monotonic))
}

/// Returns zero: the machines are in one process, or the operating system does not tell.
#[cfg(not(all(target_os = "linux", any(feature = "nats", feature = "redis"))))]
pub(super) fn suspended() -> Duration {
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lease_counts_from_when_the_message_was_sent() {
        let second = Duration::from_secs(1);
        let lease = Lease::new(|| Duration::ZERO);
        let start = lease.now();
        assert!(lease.has_ended(start));
        lease.record_sent(1);
        advance(second).await;
        lease.record_sent(2);
        advance(second).await;
        lease.record_sent(4);
        assert_eq!(lease.take_sent(3), None);
        assert_eq!(lease.take_sent(2), None, "forgotten with 3");
        lease.extend(lease.take_sent(4).unwrap());
        assert_eq!(lease.ends_at(), start.instant + 8 * second);
        lease.extend(start);
        assert_eq!(lease.ends_at(), start.instant + 8 * second, "an older message shortens nothing");
        advance(Duration::from_millis(5999)).await;
        assert!(!lease.has_ended(lease.now()));
        advance(Duration::from_millis(1)).await;
        assert!(lease.has_ended(lease.now()));
    }

    #[tokio::test(start_paused = true)]
    async fn lease_ends_while_the_computer_is_suspended() {
        static SUSPENDED_MILLIS: AtomicU64 = AtomicU64::new(3_600_000);
        let lease = Lease::new(|| Duration::from_millis(SUSPENDED_MILLIS.load(Ordering::SeqCst)));
        lease.extend(lease.now());
        lease.record_sent(1);
        SUSPENDED_MILLIS.fetch_add(5999, Ordering::SeqCst);
        assert!(!lease.has_ended(lease.now()));
        assert_eq!(lease.ends_at(), lease.started_at() + Duration::from_millis(1));
        SUSPENDED_MILLIS.fetch_add(1, Ordering::SeqCst);
        assert!(lease.has_ended(lease.now()));
        lease.extend(lease.take_sent(1).unwrap());
        assert!(lease.has_ended(lease.now()), "the message was sent before the computer was suspended");
        lease.extend(lease.now());
        assert!(!lease.has_ended(lease.now()));
        assert_eq!(lease.ends_at(), lease.started_at() + LEASE);
    }

    #[test]
    fn suspension_does_not_grow_while_the_computer_runs() {
        let before = suspended();
        let process_is_paused_at_most = Duration::from_secs(5);
        assert!(suspended().abs_diff(before) < process_is_paused_at_most);
    }
}
