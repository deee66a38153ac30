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

/// The lease of a machine. It has ended until it is extended.
pub(super) struct Lease {
    started_at: Instant,
    /// In milliseconds after the start. Read without a lock, because every message reads it.
    ends_at: AtomicU64,
    /// Protects the own messages on the control channel that are not back yet, with the times at which they were sent.
    sent: Mutex<VecDeque<(u64, Instant)>>,
}

impl Lease {
    pub(super) fn new(now: Instant) -> Lease {
        Lease { started_at: now, ends_at: AtomicU64::new(0), sent: Mutex::default() }
    }

    pub(super) fn started_at(&self) -> Instant {
        self.started_at
    }

    /// Returns whether the lease has ended.
    #[inline]
    pub(super) fn has_ended(&self, now: Instant) -> bool {
        self.millis(now) >= self.ends_at.load(Ordering::SeqCst)
    }

    /// Returns when the lease ends.
    pub(super) fn ends_at(&self) -> Instant {
        self.started_at + Duration::from_millis(self.ends_at.load(Ordering::SeqCst))
    }

    /// Extends the lease to [`LEASE`] after `begun_at`.
    pub(super) fn extend(&self, begun_at: Instant) {
        self.ends_at.fetch_max(self.millis(begun_at + LEASE), Ordering::SeqCst);
    }

    /// Records that a message is about to be sent.
    pub(super) fn record_sent(&self, sequence: u64, now: Instant) {
        let mut sent = ignore_poison(self.sent.lock());
        // What is not back by now would not extend the lease.
        while sent.front().is_some_and(|(_, sent_at)| now.duration_since(*sent_at) > LEASE) {
            sent.pop_front();
        }
        sent.push_back((sequence, now));
    }

    /// Returns when a message that is back was sent, if that is known, and forgets it and those before it.
    pub(super) fn take_sent(&self, sequence: u64) -> Option<Instant> {
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

    fn millis(&self, time: Instant) -> u64 {
        u64::try_from(time.duration_since(self.started_at).as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lease_counts_from_when_the_message_was_sent() {
        let now = Instant::now();
        let lease = Lease::new(now);
        assert!(lease.has_ended(now));
        lease.record_sent(1, now);
        lease.record_sent(2, now + Duration::from_secs(1));
        lease.record_sent(4, now + Duration::from_secs(2));
        assert_eq!(lease.take_sent(3), None);
        assert_eq!(lease.take_sent(2), None, "forgotten with 3");
        lease.extend(lease.take_sent(4).unwrap());
        assert!(!lease.has_ended(now + Duration::from_millis(7999)));
        assert!(lease.has_ended(now + Duration::from_secs(8)));
        lease.extend(now);
        assert!(!lease.has_ended(now + Duration::from_millis(7999)), "an older message shortens nothing");
    }
}
