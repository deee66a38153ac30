//! Events that wait for one connection: bounded, so that a client who does not read holds back nobody else, and recalled
//! when grants change, so that they are asked about again.

use std::sync::Arc;
use std::task::{Context, Poll};

use super::backpressure::PausedPublishers;
use super::counters::CounterCells;
use super::overflow::{Coalesce, OverflowPolicy};
use super::queue_state::{QueueEntry, QueueState};
use crate::context::StartGate;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{AtomicWaker, Mutex, MutexGuard, lock};
use crate::transport::{CloseCode, FrameText};

/// The factor by which the limits are raised for a reader that has not run since its events were queued.
const UNREAD_FACTOR: usize = 4;

/// What waits for one connection. `N` is what it takes to ask about an event again.
#[repr(C)]
pub(crate) struct SendQueue<N> {
    /// The epoch of the session's rights. Raised and closed under the lock of `waiting` only. First field, so that it is
    /// next to the other fields of the session that are read for every event.
    gate: StartGate,
    /// Whether there is something to take, or the connection is to end.
    ready: AtomicBool,
    /// Whether the reader has run and its socket could not take the queued events.
    is_stalled: AtomicBool,
    waiting: Mutex<QueueState<N>>,
    reader: AtomicWaker,
    most: usize,
    most_bytes: usize,
    policy: OverflowPolicy,
    counts: Arc<CounterCells>,
}

/// An event that goes out.
pub(crate) struct Dequeued {
    pub(crate) frame: FrameText,
    /// Whether another stands in front of the same place.
    pub(crate) more: bool,
}

/// The connection is to end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended(pub(crate) CloseCode);

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnqueueOutcome {
    /// It waits.
    In,
    /// Nobody wants it any more.
    Gone,
    /// The grants have changed since it was asked about.
    Stale,
    /// What frames show of the way that it comes by has changed since it was made.
    Changed,
}

impl<N: Coalesce> SendQueue<N> {
    pub(crate) fn new(
        most: usize,
        most_bytes: usize,
        policy: OverflowPolicy,
        counts: Arc<CounterCells>,
    ) -> SendQueue<N> {
        let waiting = QueueState::new();
        let (gate, reader) = (StartGate::new(), AtomicWaker::new());
        let (ready, is_stalled) = (AtomicBool::new(false), AtomicBool::new(false));
        SendQueue { gate, waiting: Mutex::new(waiting), reader, ready, is_stalled, most, most_bytes, policy, counts }
    }

    /// Puts an event in that was asked about in that epoch. `standing` is how the way stands now that it comes by, `seen` how
    /// it stood when the frame was made. What this gives back beside is not wanted any more: an event may run its own code
    /// when it is dropped, so that is not done under whatever lock the caller holds.
    pub(crate) fn put(
        &self,
        frame: FrameText,
        note: N,
        epoch: u64,
        seen: u64,
        standing: impl FnOnce() -> Option<u64>,
    ) -> (EnqueueOutcome, Vec<N>) {
        let mut waiting = self.waiting();
        // All is looked at under the lock: who has taken it to change something is not overtaken.
        let unfit = match standing() {
            _ if self.epoch() != epoch => Some(EnqueueOutcome::Stale),
            Some(now) if now != seen => Some(EnqueueOutcome::Changed),
            Some(_) if !waiting.is_over() => None,
            _ => Some(EnqueueOutcome::Gone),
        };
        if let Some(put) = unfit {
            return (put, vec![note]);
        }
        let place = waiting.next;
        waiting.next += 1;
        waiting.bytes += frame.len();
        waiting.events.push_back(QueueEntry { place, frame, note });
        let mut given_up = Vec::new();
        let is_stalled = self.is_stalled.load(Ordering::Relaxed);
        let factor = if is_stalled { 1 } else { UNREAD_FACTOR };
        while waiting.events.len() > self.most.saturating_mul(factor)
            || waiting.bytes > self.most_bytes.saturating_mul(factor)
        {
            let more = waiting.give_up(self.policy);
            if more.is_empty() && !waiting.events.is_empty() {
                given_up.extend(self.end_with(waiting, CloseCode::TooSlow));
                return (EnqueueOutcome::Gone, given_up);
            }
            self.counts.dropped(more.len());
            given_up.extend(more.into_iter().map(|letter| letter.note));
        }
        if !is_stalled && self.is_crowded(&waiting) {
            waiting.holds.hold_current(false);
        }
        let wake = !self.ready.swap(true, Ordering::AcqRel);
        drop(waiting);
        // Whoever reads takes everything, so it is woken once.
        if wake {
            self.reader.wake();
        }
        (EnqueueOutcome::In, given_up)
    }

    /// Returns whether more than half of `most` or `most_bytes` is queued; the factor for a reader that has not run is left
    /// out.
    fn is_crowded(&self, waiting: &QueueState<N>) -> bool {
        waiting.events.len() > self.most / 2 || waiting.bytes > self.most_bytes / 2
    }

    /// Marks the reader as stalled: it has run, and its socket cannot take the queued events. Releases the publishers it
    /// holds.
    #[inline]
    pub(crate) fn stall(&self) {
        if !self.is_stalled.load(Ordering::Relaxed) {
            self.is_stalled.store(true, Ordering::Relaxed);
            let holds = std::mem::take(&mut self.waiting().holds);
            // Not under the lock, because dropping a hold wakes a connection.
            drop(holds);
        }
    }

    /// Marks the reader as able to take queued events.
    #[inline]
    pub(crate) fn unstall(&self) {
        if self.is_stalled.load(Ordering::Relaxed) {
            self.is_stalled.store(false, Ordering::Relaxed);
        }
    }

    /// How many events may wait.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    pub(crate) fn policy(&self) -> OverflowPolicy {
        self.policy
    }

    /// So many were dropped before they could even be asked about.
    pub(crate) fn dropped(&self, events: usize) {
        self.counts.dropped(events);
        self.waiting().dropped += events as u64;
    }

    /// Whether nothing is to be put in any more.
    pub(crate) fn is_over(&self) -> bool {
        self.waiting().is_over()
    }

    /// The connection is to end with this code. Nothing is delivered any more.
    pub(crate) fn end(&self, code: CloseCode) {
        drop(self.end_with(self.waiting(), code));
    }

    /// The same; gives what waited.
    fn end_with(&self, mut waiting: MutexGuard<'_, QueueState<N>>, code: CloseCode) -> Vec<N> {
        if !waiting.is_over() && code == CloseCode::TooSlow {
            self.counts.too_slow();
        }
        waiting.end.get_or_insert(code);
        let unwanted = std::mem::take(&mut waiting.events);
        waiting.bytes = 0;
        let holds = std::mem::take(&mut waiting.holds);
        self.gate.close();
        self.ready.store(true, Ordering::Release);
        drop(waiting);
        drop(holds);
        self.reader.wake();
        unwanted.into_iter().map(|letter| letter.note).collect()
    }

    /// Changes something that is looked at when an event is put in.
    pub(crate) fn among<T>(&self, change: impl FnOnce() -> T) -> T {
        let _waiting = self.waiting();
        change()
    }

    /// The grants behind what waits.
    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        self.gate.epoch()
    }

    /// Returns the gate that each action of this session passes before it starts.
    #[inline]
    pub(crate) fn gate(&self) -> &StartGate {
        &self.gate
    }

    /// The grants have changed: begins an epoch, and gives back what waits, to be asked about again.
    pub(crate) fn recall(&self) -> (u64, impl DoubleEndedIterator<Item = N> + use<N>) {
        let mut waiting = self.waiting();
        let epoch = self.gate.raise();
        waiting.bytes = 0;
        let (recalled, holds) = (std::mem::take(&mut waiting.events), std::mem::take(&mut waiting.holds));
        drop(waiting);
        drop(holds);
        (epoch, recalled.into_iter().map(|letter| letter.note))
    }

    /// Whether there is something to take, or the connection is to end.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// The place behind all that waits now.
    pub(crate) fn place(&self) -> Result<u64, Ended> {
        let waiting = self.waiting();
        if let Some(code) = waiting.end {
            return Err(Ended(code));
        }
        self.ready.store(!waiting.events.is_empty(), Ordering::Release);
        Ok(waiting.next)
    }

    /// Takes what has waited longest, if it stands in front of that place.
    pub(crate) fn take_before(&self, place: u64) -> Result<Option<Dequeued>, Ended> {
        let mut waiting = self.waiting();
        if let Some(code) = waiting.end {
            return Err(Ended(code));
        }
        let oldest = waiting.events.front();
        let taken = if oldest.is_some_and(|oldest| oldest.place < place) { waiting.pop() } else { None };
        let next = waiting.events.front().map(|next| next.place);
        self.ready.store(next.is_some(), Ordering::Release);
        self.unstall();
        let has_caught_up = !waiting.holds.is_empty() && !self.is_crowded(&waiting);
        let holds = if has_caught_up { std::mem::take(&mut waiting.holds) } else { PausedPublishers::default() };
        drop(waiting);
        drop(holds);
        // The rest of a letter is dropped here: an event may run its own code then, so that is not done under the lock.
        let Some(QueueEntry { frame, .. }) = taken else { return Ok(None) };
        // What was put in may still be recalled or dropped; this goes out.
        self.counts.delivered();
        Ok(Some(Dequeued { frame, more: next.is_some_and(|next| next < place) }))
    }

    /// Whether the connection is not to end. Asked for every frame: without the lock, unless it is.
    #[inline]
    pub(crate) fn goes_on(&self) -> Result<(), Ended> {
        if !self.gate.is_closed() {
            return Ok(());
        }
        self.waiting().end.map_or(Ok(()), |code| Err(Ended(code)))
    }

    /// Waits until there is something to take. For one reader.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        if !self.ready.load(Ordering::Acquire) {
            self.reader.register(cx.waker());
            if !self.ready.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        Poll::Ready(self.goes_on())
    }

    /// Waits until the connection is to end. For one reader.
    pub(crate) fn poll_end(&self, cx: &mut Context<'_>) -> Poll<Ended> {
        self.reader.register(cx.waker());
        self.goes_on().map_or_else(Poll::Ready, |()| Poll::Pending)
    }

    /// Takes nothing any more. Gives how many events were dropped.
    pub(crate) fn close(&self) -> u64 {
        let mut waiting = self.waiting();
        waiting.closed = true;
        self.gate.close();
        waiting.bytes = 0;
        let (unwanted, dropped) = (std::mem::take(&mut waiting.events), waiting.dropped);
        let holds = std::mem::take(&mut waiting.holds);
        drop(waiting);
        drop((unwanted, holds));
        dropped
    }

    fn waiting(&self) -> MutexGuard<'_, QueueState<N>> {
        lock(&self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A letter of a text: of two that begin alike with a capital the newer stands for both.
    impl Coalesce for &'static str {
        fn stands_for(&self) -> Option<(u64, usize)> {
            self.chars().next().filter(char::is_ascii_uppercase).map(|first| (u64::from(first), 0))
        }
    }

    type Texts = SendQueue<&'static str>;

    fn mailbox(most: usize, most_bytes: usize, policy: OverflowPolicy) -> Texts {
        SendQueue::new(most, most_bytes, policy, Arc::default())
    }

    fn take_before(mailbox: &Texts, place: u64) -> Result<Option<String>, Ended> {
        Ok(mailbox.take_before(place)?.map(|taken| taken.frame.to_string()))
    }

    fn take(mailbox: &Texts) -> Result<Vec<String>, Ended> {
        let (place, mut all) = (mailbox.place()?, Vec::new());
        while let Some(taken) = mailbox.take_before(place)? {
            all.push(taken.frame.to_string());
            assert_eq!(taken.more, mailbox.is_ready());
        }
        Ok(all)
    }

    fn put_in(mailbox: &Texts, text: &'static str, epoch: u64, standing: Option<u64>) -> EnqueueOutcome {
        mailbox.put(text.into(), text, epoch, 0, || standing).0
    }

    /// Puts texts in while the reader can take nothing.
    fn put(mailbox: &Texts, texts: &[&'static str]) {
        mailbox.stall();
        for text in texts {
            put_in(mailbox, text, mailbox.epoch(), Some(0));
        }
    }

    #[test]
    fn events_come_out_in_their_order_and_once() {
        let mailbox = mailbox(3, 100, OverflowPolicy::Close);
        put(&mailbox, &["a", "b", "c"]);
        assert_eq!(take_before(&mailbox, 1).unwrap().unwrap(), "a");
        assert_eq!(take_before(&mailbox, 1).unwrap(), None, "the next stands behind");
        assert_eq!(take(&mailbox).unwrap(), ["b", "c"]);
        assert_eq!(take_before(&mailbox, 9).unwrap(), None);
        put(&mailbox, &["d", "e", "f"]);
        assert_eq!(take(&mailbox).unwrap(), ["d", "e", "f"]);
    }

    #[test]
    fn too_many_or_too_large_ones_close_it() {
        for mailbox in [mailbox(2, 100, OverflowPolicy::Close), mailbox(9, 2, OverflowPolicy::Close)] {
            put(&mailbox, &["a", "b"]);
            assert_eq!(take(&mailbox).unwrap(), ["a", "b"]);
            put(&mailbox, &["c", "d", "e"]);
            assert_eq!(take(&mailbox), Err(Ended(CloseCode::TooSlow)));
            assert_eq!(put_in(&mailbox, "f", 0, Some(0)), EnqueueOutcome::Gone);
            mailbox.end(CloseCode::Refused);
            assert_eq!(take_before(&mailbox, 9), Err(Ended(CloseCode::TooSlow)), "and it stays so");
            assert_eq!(mailbox.counts.now().too_slow, 1);
        }
    }

    #[test]
    fn or_the_oldest_are_dropped_and_counted() {
        let mailbox = mailbox(2, 4, OverflowPolicy::DropOldest);
        put(&mailbox, &["a", "b", "c"]);
        assert_eq!(take(&mailbox).unwrap(), ["b", "c"]);
        put(&mailbox, &["ddd", "ee", "fffff"]);
        assert_eq!(take(&mailbox).unwrap(), Vec::<String>::new(), "one that is too large by itself is dropped too");
        mailbox.dropped(1);
        assert_eq!((mailbox.counts.now().dropped, mailbox.close()), (5, 5));
        put(&mailbox, &["g"]);
        assert_eq!(take(&mailbox).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn or_the_newest_of_each_key_is_kept_where_it_was_put() {
        let mailbox = mailbox(4, 100, OverflowPolicy::KeepNewest);
        put(&mailbox, &["A1", "B1", "A2", "c"]);
        assert_eq!(take(&mailbox).unwrap(), ["A1", "B1", "A2", "c"], "while there is room all are kept");
        put(&mailbox, &["A1", "B1", "A2", "c", "B2"]);
        assert_eq!(take(&mailbox).unwrap(), ["A1", "A2", "c", "B2"], "the newest makes its own room");
        put(&mailbox, &["A1", "A2", "A3", "B1", "c", "d"]);
        assert_eq!(take(&mailbox).unwrap(), ["A3", "B1", "c", "d"], "or what is old makes room for others");
        assert_eq!(mailbox.counts.now().dropped, 3);
        put(&mailbox, &["A1", "B1", "c", "d", "e"]);
        assert_eq!(take(&mailbox), Err(Ended(CloseCode::TooSlow)), "nothing stands for these");
    }

    #[test]
    fn what_is_dropped_from_between_moves_no_place() {
        let mailbox = mailbox(3, 100, OverflowPolicy::KeepNewest);
        put(&mailbox, &["A1", "b"]);
        let place = mailbox.place().unwrap();
        put(&mailbox, &["C1", "C2"]);
        assert_eq!(take_before(&mailbox, place).unwrap().unwrap(), "A1");
        put(&mailbox, &["A2", "C3"]);
        assert_eq!(take_before(&mailbox, place).unwrap().unwrap(), "b");
        assert_eq!(take_before(&mailbox, place).unwrap(), None);
        assert_eq!(take(&mailbox).unwrap(), ["A2", "C3"]);
    }

    #[test]
    fn nothing_comes_by_a_way_that_has_ended_or_looks_otherwise() {
        let mailbox = mailbox(9, 100, OverflowPolicy::Close);
        assert_eq!(put_in(&mailbox, "a", 0, Some(0)), EnqueueOutcome::In);
        assert_eq!(put_in(&mailbox, "b", 0, None), EnqueueOutcome::Gone);
        assert_eq!(put_in(&mailbox, "c", 0, Some(1)), EnqueueOutcome::Changed);
        assert_eq!(take(&mailbox).unwrap(), ["a"]);
    }

    #[test]
    fn what_is_recalled_is_asked_about_again_and_so_is_what_was_asked_about_before() {
        let mailbox = mailbox(9, 100, OverflowPolicy::Close);
        put(&mailbox, &["a", "b"]);
        let before = mailbox.epoch();
        let (epoch, recalled) = mailbox.recall();
        assert_eq!((epoch, recalled.collect::<Vec<_>>()), (before + 1, vec!["a", "b"]));
        assert_eq!(take(&mailbox).unwrap(), Vec::<String>::new());
        assert_eq!(put_in(&mailbox, "c", before, Some(0)), EnqueueOutcome::Stale);
        put(&mailbox, &["d"]);
        assert_eq!(take(&mailbox).unwrap(), ["d"]);
    }
}
