//! Messages that a stream publishes again, in the order of their logs.
//!
//! A server before version 2.10 publishes them in the threads of its clients, so that one may overtake another that was stored before
//! it. Each tells which one precedes it in its log, and waits for that one. What was stored before the subscription is not passed on:
//! a member that joins by it reads that from the log, or does not receive it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// How much later than another one a message may be received that was stored before it.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// A message of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Republished<M> {
    pub(super) sequence: u64,
    /// The sequence number of the previous message of the log, or 0 for the first one.
    pub(super) previous: u64,
    pub(super) message: M,
}

/// What was received of a stream.
#[derive(Debug)]
pub(super) struct Reordering<M> {
    max_delay: Duration,
    /// What is received up to this sequence number comes too late.
    settled: u64,
    /// The messages above that were passed on, or passed over, and when.
    passed: BTreeMap<u64, Instant>,
    /// By the sequence number of the one that they wait for, with the time when they stop waiting.
    held: BTreeMap<u64, (Instant, Republished<M>)>,
}

/// A message comes too late, or is of another stream with the same name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OutOfOrder<M>(pub(super) Republished<M>);

impl<M> Reordering<M> {
    /// Begins after a sequence number. `is_ordered` is whether the server keeps the order.
    pub(super) fn new(is_ordered: bool, settled: u64) -> Reordering<M> {
        let max_delay = if is_ordered { Duration::ZERO } else { MAX_DELAY };
        Reordering { max_delay, settled, passed: BTreeMap::new(), held: BTreeMap::new() }
    }

    /// Returns whether a message was received before, or comes too late, or is from before the beginning.
    fn is_settled(&self, sequence: u64) -> bool {
        sequence <= self.settled || self.passed.contains_key(&sequence)
    }

    /// Receives a message. Returns what is passed on, in order.
    pub(super) fn receive(
        &mut self,
        message: Republished<M>,
        now: Instant,
    ) -> (Vec<Republished<M>>, Result<(), OutOfOrder<M>>) {
        while let Some(oldest) = self.passed.first_entry().filter(|oldest| now >= *oldest.get() + self.max_delay) {
            self.settled = self.settled.max(oldest.remove_entry().0);
        }
        let mut passed = self.pass_over(now);
        if self.is_settled(message.sequence) {
            return (passed, Err(OutOfOrder(message)));
        }
        if self.is_settled(message.previous) || self.max_delay.is_zero() {
            passed.extend(self.pass_on(message, now));
        } else {
            self.held.insert(message.previous, (now + self.max_delay, message));
        }
        (passed, Ok(()))
    }

    /// Returns when [`pass_over`](Reordering::pass_over) has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.held.values().map(|(deadline, _)| *deadline).min()
    }

    /// Returns the messages that wait no longer, in order, although what they have waited for is missing.
    pub(super) fn pass_over(&mut self, now: Instant) -> Vec<Republished<M>> {
        let mut passed = Vec::new();
        let is_missing = |held: &BTreeMap<u64, (Instant, _)>, settled| {
            held.iter().find_map(|(missing, (at, _))| (*missing <= settled || *at <= now).then_some(*missing))
        };
        while let Some(missing) = is_missing(&self.held, self.settled) {
            self.passed.insert(missing, now);
            let waiting = self.held.remove(&missing);
            passed.extend(waiting.into_iter().flat_map(|(_, message)| self.pass_on(message, now)));
        }
        passed
    }

    /// Returns a message and those that wait for it.
    fn pass_on(&mut self, message: Republished<M>, now: Instant) -> Vec<Republished<M>> {
        let (mut passed, mut next) = (Vec::new(), Some(message));
        while let Some(message) = next {
            self.passed.insert(message.sequence, now);
            next = self.held.remove(&message.sequence).map(|(_, message)| message);
            passed.push(message);
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Duration = Duration::from_millis(500);

    /// Receives messages, which are pairs of the sequence number and that of the previous one, half a second after each other.
    /// Returns the sequence numbers in the order in which they are passed on.
    fn passed_on(is_ordered: bool, messages: &[(u64, u64)]) -> Vec<u64> {
        let mut reordering = Reordering::new(is_ordered, 0);
        let (mut now, mut passed) = (Instant::now(), Vec::new());
        for (sequence, previous) in messages.iter().copied() {
            passed.extend(reordering.pass_over(now));
            passed.extend(reordering.receive(Republished { sequence, previous, message: () }, now).0);
            now += STEP;
        }
        passed.extend(reordering.pass_over(now + MAX_DELAY));
        assert_eq!(reordering.deadline(), None);
        passed.into_iter().map(|message| message.sequence).collect()
    }

    #[test]
    fn message_waits_for_the_one_before_it() {
        assert_eq!(passed_on(false, &[(1, 0), (3, 2), (2, 1)]), [1, 2, 3]);
        assert_eq!(passed_on(false, &[(4, 3), (3, 2), (2, 1), (1, 0)]), [1, 2, 3, 4]);
    }

    #[test]
    fn messages_of_other_logs_do_not_wait() {
        assert_eq!(passed_on(false, &[(1, 0), (5, 3), (4, 2), (2, 0), (3, 1)]), [1, 2, 4, 3, 5]);
    }

    #[test]
    fn message_from_before_the_subscription_is_not_awaited_forever() {
        assert_eq!(passed_on(false, &[(7, 3), (8, 7), (9, 5)]), [7, 8, 9]);
        // That one of the stream was received two seconds ago shows that those before it do not come.
        let mut reordering = Reordering::new(false, 0);
        let now = Instant::now();
        let message = |sequence, previous| Republished { sequence, previous, message: () };
        assert_eq!(reordering.receive(message(7, 0), now).0.len(), 1);
        assert_eq!(reordering.receive(message(8, 3), now + STEP).0.len(), 0);
        assert_eq!(reordering.deadline(), Some(now + STEP + MAX_DELAY));
        assert_eq!(reordering.receive(message(9, 4), now + MAX_DELAY).0.len(), 2);
    }

    #[test]
    fn message_after_one_from_before_the_beginning_does_not_wait() {
        let mut reordering = Reordering::new(false, 5);
        let now = Instant::now();
        let message = |sequence, previous| Republished { sequence, previous, message: () };
        assert_eq!(reordering.receive(message(8, 3), now).0.len(), 1);
        assert_eq!(reordering.receive(message(5, 1), now).1, Err(OutOfOrder(message(5, 1))));
        assert_eq!(reordering.receive(message(7, 6), now).0.len(), 0);
        assert_eq!(reordering.receive(message(6, 5), now).0.len(), 2);
    }

    #[test]
    fn message_that_comes_too_late_is_not_passed_on() {
        assert_eq!(passed_on(false, &[(1, 0), (3, 2), (5, 0), (6, 0), (7, 0), (8, 0), (2, 1)]), [1, 5, 6, 7, 3, 8]);
        // Later than messages of other logs.
        assert_eq!(passed_on(false, &[(3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (2, 1)]), [3, 4, 5, 6, 7]);
        assert_eq!(passed_on(false, &[(1, 0), (1, 0)]), [1]);
    }

    #[test]
    fn server_that_keeps_the_order_needs_no_waiting() {
        assert_eq!(passed_on(true, &[(7, 3), (9, 5), (10, 9), (10, 9), (8, 7)]), [7, 9, 10]);
    }

    #[test]
    fn any_short_delays_leave_each_log_in_order() {
        use proptest::prelude::*;
        proptest!(|(logs in prop::collection::vec((0..3_usize, 0..3_u64), 1..60))| {
            let (mut last, mut sent) = ([0; 3], Vec::new());
            for (sequence, (log, delay)) in (1_u64..).zip(&logs) {
                sent.push((sequence * 10 + delay * 11, (sequence, last[*log])));
                last[*log] = sequence;
            }
            sent.sort_unstable();
            let messages: Vec<_> = sent.iter().map(|(_, message)| *message).collect();
            let passed = passed_on(false, &messages);
            prop_assert_eq!(passed.len(), logs.len());
            for log in 0..3 {
                let is_in_log = |sequence: &&u64| logs[usize::try_from(**sequence).unwrap() - 1].0 == log;
                prop_assert!(passed.iter().filter(is_in_log).is_sorted());
            }
        });
    }
}
