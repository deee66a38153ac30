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
use crate::transport::{CloseCode, ConnectionEnd, FrameText};

/// The factor by which the limits are raised for a reader that has not run since its events were queued.
const UNREAD_FACTOR: usize = 4;

/// What waits for one connection. `N` is what it takes to ask about an event again.
#[repr(C)]
pub(crate) struct SendQueue<N> {
    /// The epoch of the session's rights. Raised and closed under the lock of `state` only. First field, so that it is
    /// next to the other fields of the session that are read for every event.
    start_gate: StartGate,
    /// Whether there is something to take, or the connection is to end.
    has_work: AtomicBool,
    /// Whether the reader has run and its socket could not take the queued events.
    is_stalled: AtomicBool,
    state: Mutex<QueueState<N>>,
    reader: AtomicWaker,
    max_events: usize,
    max_bytes: usize,
    overflow_policy: OverflowPolicy,
    counters: Arc<CounterCells>,
}

/// An event that goes out.
pub(crate) struct Dequeued {
    pub(crate) frame: FrameText,
    /// Whether another stands in front of the same place.
    pub(crate) more: bool,
}

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
        max_events: usize,
        max_bytes: usize,
        overflow_policy: OverflowPolicy,
        counters: Arc<CounterCells>,
    ) -> SendQueue<N> {
        let state = QueueState::new();
        let (start_gate, reader) = (StartGate::new(), AtomicWaker::new());
        let (has_work, is_stalled) = (AtomicBool::new(false), AtomicBool::new(false));
        SendQueue {
            start_gate,
            state: Mutex::new(state),
            reader,
            has_work,
            is_stalled,
            max_events,
            max_bytes,
            overflow_policy,
            counters,
        }
    }

    /// Puts an event in that was asked about in that epoch. `version` is how the way stands now that it comes by, `frame_version` how
    /// it stood when the frame was made. What this gives back beside is not wanted any more: an event may run its own code
    /// when it is dropped, so that is not done under whatever lock the caller holds.
    pub(crate) fn enqueue(
        &self,
        frame: FrameText,
        handle: N,
        epoch: u64,
        frame_version: u64,
        version: impl FnOnce() -> Option<u64>,
    ) -> (EnqueueOutcome, Vec<N>) {
        let mut state = self.lock_state();
        // All is looked at under the lock: who has taken it to change something is not overtaken.
        let rejected = match version() {
            _ if self.epoch() != epoch => Some(EnqueueOutcome::Stale),
            Some(now) if now != frame_version => Some(EnqueueOutcome::Changed),
            Some(_) if !state.is_closed() => None,
            _ => Some(EnqueueOutcome::Gone),
        };
        if let Some(enqueue) = rejected {
            return (enqueue, vec![handle]);
        }
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        state.bytes += frame.len();
        state.events.push_back(QueueEntry { sequence, frame, handle });
        let mut discarded = Vec::new();
        let is_stalled = self.is_stalled.load(Ordering::Relaxed);
        let factor = if is_stalled { 1 } else { UNREAD_FACTOR };
        while state.events.len() > self.max_events.saturating_mul(factor)
            || state.bytes > self.max_bytes.saturating_mul(factor)
        {
            let more = state.apply_overflow(self.overflow_policy);
            if more.is_empty() && !state.events.is_empty() {
                discarded.extend(self.close_state(state, CloseCode::TooSlow));
                return (EnqueueOutcome::Gone, discarded);
            }
            self.counters.dropped(more.len());
            discarded.extend(more.into_iter().map(|letter| letter.handle));
        }
        if !is_stalled && self.is_crowded(&state) {
            state.paused_publishers.hold_current(false);
        }
        let wake = !self.has_work.swap(true, Ordering::AcqRel);
        drop(state);
        // Whoever reads takes everything, so it is woken once.
        if wake {
            self.reader.wake();
        }
        (EnqueueOutcome::In, discarded)
    }

    /// Returns whether more than half of `max_events` or `max_bytes` is queued; the factor for a reader that has not run is left
    /// out.
    fn is_crowded(&self, state: &QueueState<N>) -> bool {
        state.events.len() > self.max_events / 2 || state.bytes > self.max_bytes / 2
    }

    /// Marks the reader as stalled: it has run, and its socket cannot take the queued events. Releases the publishers it
    /// holds.
    #[inline]
    pub(crate) fn stall(&self) {
        if !self.is_stalled.load(Ordering::Relaxed) {
            self.is_stalled.store(true, Ordering::Relaxed);
            let paused_publishers = std::mem::take(&mut self.lock_state().paused_publishers);
            // Not under the lock, because dropping a hold wakes a connection.
            drop(paused_publishers);
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
    pub(crate) fn max_events(&self) -> usize {
        self.max_events
    }

    pub(crate) fn overflow_policy(&self) -> OverflowPolicy {
        self.overflow_policy
    }

    /// So many were dropped before they could even be asked about.
    pub(crate) fn record_dropped(&self, events: usize) {
        self.counters.dropped(events);
        self.lock_state().dropped += events as u64;
    }

    /// Whether nothing is to be put in any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock_state().is_closed()
    }

    /// The connection is to end with this code. Nothing is delivered any more.
    pub(crate) fn close_with(&self, code: CloseCode) {
        drop(self.close_state(self.lock_state(), code));
    }

    /// The same; gives what waited.
    fn close_state(&self, mut state: MutexGuard<'_, QueueState<N>>, code: CloseCode) -> Vec<N> {
        if !state.is_closed() && code == CloseCode::TooSlow {
            self.counters.too_slow();
        }
        state.close_code.get_or_insert(code);
        let unwanted = std::mem::take(&mut state.events);
        state.bytes = 0;
        let paused_publishers = std::mem::take(&mut state.paused_publishers);
        self.start_gate.close();
        self.has_work.store(true, Ordering::Release);
        drop(state);
        drop(paused_publishers);
        self.reader.wake();
        unwanted.into_iter().map(|letter| letter.handle).collect()
    }

    /// Changes something that is looked at when an event is put in.
    pub(crate) fn with_queue_locked<T>(&self, change: impl FnOnce() -> T) -> T {
        let _waiting = self.lock_state();
        change()
    }

    /// The grants behind what waits.
    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        self.start_gate.epoch()
    }

    /// Returns the gate that each action of this session passes before it starts.
    #[inline]
    pub(crate) fn start_gate(&self) -> &StartGate {
        &self.start_gate
    }

    /// The grants have changed: begins an epoch, and gives back what waits, to be asked about again.
    pub(crate) fn recall(&self) -> (u64, impl DoubleEndedIterator<Item = N> + use<N>) {
        let mut state = self.lock_state();
        let epoch = self.start_gate.raise();
        state.bytes = 0;
        let (recalled, paused_publishers) =
            (std::mem::take(&mut state.events), std::mem::take(&mut state.paused_publishers));
        drop(state);
        drop(paused_publishers);
        (epoch, recalled.into_iter().map(|letter| letter.handle))
    }

    /// Whether there is something to take, or the connection is to end.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.has_work.load(Ordering::Acquire)
    }

    /// The place behind all that waits now.
    pub(crate) fn next_sequence(&self) -> Result<u64, ConnectionEnd> {
        let state = self.lock_state();
        if let Some(code) = state.close_code {
            return Err(ConnectionEnd::Close(code));
        }
        self.has_work.store(!state.events.is_empty(), Ordering::Release);
        Ok(state.next_sequence)
    }

    /// Takes what has waited longest, if it stands in front of that place.
    pub(crate) fn dequeue_before(&self, sequence: u64) -> Result<Option<Dequeued>, ConnectionEnd> {
        let mut state = self.lock_state();
        if let Some(code) = state.close_code {
            return Err(ConnectionEnd::Close(code));
        }
        let oldest = state.events.front();
        let taken = if oldest.is_some_and(|oldest| oldest.sequence < sequence) { state.pop() } else { None };
        let next_sequence = state.events.front().map(|next_sequence| next_sequence.sequence);
        self.has_work.store(next_sequence.is_some(), Ordering::Release);
        self.unstall();
        let has_caught_up = !state.paused_publishers.is_empty() && !self.is_crowded(&state);
        let paused_publishers =
            if has_caught_up { std::mem::take(&mut state.paused_publishers) } else { PausedPublishers::default() };
        drop(state);
        drop(paused_publishers);
        // The rest of a letter is dropped here: an event may run its own code then, so that is not done under the lock.
        let Some(QueueEntry { frame, .. }) = taken else { return Ok(None) };
        // What was put in may still be recalled or dropped; this goes out.
        self.counters.delivered();
        Ok(Some(Dequeued { frame, more: next_sequence.is_some_and(|next_sequence| next_sequence < sequence) }))
    }

    /// Whether the connection is not to end. Asked for every frame: without the lock, unless it is.
    #[inline]
    pub(crate) fn check_open(&self) -> Result<(), ConnectionEnd> {
        if !self.start_gate.is_closed() {
            return Ok(());
        }
        self.lock_state().close_code.map_or(Ok(()), |code| Err(ConnectionEnd::Close(code)))
    }

    /// Waits until there is something to take. For one reader.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionEnd>> {
        if !self.has_work.load(Ordering::Acquire) {
            self.reader.register(cx.waker());
            if !self.has_work.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        Poll::Ready(self.check_open())
    }

    /// Waits until the connection is to end. For one reader.
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<ConnectionEnd> {
        self.reader.register(cx.waker());
        self.check_open().map_or_else(Poll::Ready, |()| Poll::Pending)
    }

    /// Takes nothing any more. Gives how many events were dropped.
    pub(crate) fn close(&self) -> u64 {
        let mut state = self.lock_state();
        state.closed = true;
        self.start_gate.close();
        state.bytes = 0;
        let (unwanted, dropped) = (std::mem::take(&mut state.events), state.dropped);
        let paused_publishers = std::mem::take(&mut state.paused_publishers);
        drop(state);
        drop((unwanted, paused_publishers));
        dropped
    }

    fn lock_state(&self) -> MutexGuard<'_, QueueState<N>> {
        lock(&self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A letter of a text: of two that begin alike with a capital the newer stands for both.
    impl Coalesce for &'static str {
        fn coalescing_key(&self) -> Option<(u64, usize)> {
            self.chars().next().filter(char::is_ascii_uppercase).map(|first| (u64::from(first), 0))
        }
    }

    type Texts = SendQueue<&'static str>;

    fn send_queue(max_events: usize, max_bytes: usize, overflow_policy: OverflowPolicy) -> Texts {
        SendQueue::new(max_events, max_bytes, overflow_policy, Arc::default())
    }

    fn dequeue_before(send_queue: &Texts, sequence: u64) -> Result<Option<String>, ConnectionEnd> {
        Ok(send_queue.dequeue_before(sequence)?.map(|taken| taken.frame.to_string()))
    }

    fn take(send_queue: &Texts) -> Result<Vec<String>, ConnectionEnd> {
        let (sequence, mut all) = (send_queue.next_sequence()?, Vec::new());
        while let Some(taken) = send_queue.dequeue_before(sequence)? {
            all.push(taken.frame.to_string());
            assert_eq!(taken.more, send_queue.is_ready());
        }
        Ok(all)
    }

    fn put_in(send_queue: &Texts, text: &'static str, epoch: u64, version: Option<u64>) -> EnqueueOutcome {
        send_queue.enqueue(text.into(), text, epoch, 0, || version).0
    }

    /// Puts texts in while the reader can take nothing.
    fn enqueue(send_queue: &Texts, texts: &[&'static str]) {
        send_queue.stall();
        for text in texts {
            put_in(send_queue, text, send_queue.epoch(), Some(0));
        }
    }

    #[test]
    fn events_come_out_in_their_order_and_once() {
        let send_queue = send_queue(3, 100, OverflowPolicy::Close);
        enqueue(&send_queue, &["a", "b", "c"]);
        assert_eq!(dequeue_before(&send_queue, 1).unwrap().unwrap(), "a");
        assert_eq!(dequeue_before(&send_queue, 1).unwrap(), None, "the next stands behind");
        assert_eq!(take(&send_queue).unwrap(), ["b", "c"]);
        assert_eq!(dequeue_before(&send_queue, 9).unwrap(), None);
        enqueue(&send_queue, &["d", "e", "f"]);
        assert_eq!(take(&send_queue).unwrap(), ["d", "e", "f"]);
    }

    #[test]
    fn too_many_or_too_large_ones_close_it() {
        for send_queue in [send_queue(2, 100, OverflowPolicy::Close), send_queue(9, 2, OverflowPolicy::Close)] {
            enqueue(&send_queue, &["a", "b"]);
            assert_eq!(take(&send_queue).unwrap(), ["a", "b"]);
            enqueue(&send_queue, &["c", "d", "e"]);
            assert_eq!(take(&send_queue), Err(ConnectionEnd::Close(CloseCode::TooSlow)));
            assert_eq!(put_in(&send_queue, "f", 0, Some(0)), EnqueueOutcome::Gone);
            send_queue.close_with(CloseCode::Refused);
            assert_eq!(
                dequeue_before(&send_queue, 9),
                Err(ConnectionEnd::Close(CloseCode::TooSlow)),
                "and it stays so"
            );
            assert_eq!(send_queue.counters.now().too_slow, 1);
        }
    }

    #[test]
    fn or_the_oldest_are_dropped_and_counted() {
        let send_queue = send_queue(2, 4, OverflowPolicy::DropOldest);
        enqueue(&send_queue, &["a", "b", "c"]);
        assert_eq!(take(&send_queue).unwrap(), ["b", "c"]);
        enqueue(&send_queue, &["ddd", "ee", "fffff"]);
        assert_eq!(take(&send_queue).unwrap(), Vec::<String>::new(), "one that is too large by itself is dropped too");
        send_queue.record_dropped(1);
        assert_eq!((send_queue.counters.now().dropped, send_queue.close()), (5, 5));
        enqueue(&send_queue, &["g"]);
        assert_eq!(take(&send_queue).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn or_the_newest_of_each_key_is_kept_where_it_was_put() {
        let send_queue = send_queue(4, 100, OverflowPolicy::KeepNewest);
        enqueue(&send_queue, &["A1", "B1", "A2", "c"]);
        assert_eq!(take(&send_queue).unwrap(), ["A1", "B1", "A2", "c"], "while there is room all are kept");
        enqueue(&send_queue, &["A1", "B1", "A2", "c", "B2"]);
        assert_eq!(take(&send_queue).unwrap(), ["A1", "A2", "c", "B2"], "the newest makes its own room");
        enqueue(&send_queue, &["A1", "A2", "A3", "B1", "c", "d"]);
        assert_eq!(take(&send_queue).unwrap(), ["A3", "B1", "c", "d"], "or what is old makes room for others");
        assert_eq!(send_queue.counters.now().dropped, 3);
        enqueue(&send_queue, &["A1", "B1", "c", "d", "e"]);
        assert_eq!(take(&send_queue), Err(ConnectionEnd::Close(CloseCode::TooSlow)), "nothing stands for these");
    }

    #[test]
    fn what_is_dropped_from_between_moves_no_place() {
        let send_queue = send_queue(3, 100, OverflowPolicy::KeepNewest);
        enqueue(&send_queue, &["A1", "b"]);
        let sequence = send_queue.next_sequence().unwrap();
        enqueue(&send_queue, &["C1", "C2"]);
        assert_eq!(dequeue_before(&send_queue, sequence).unwrap().unwrap(), "A1");
        enqueue(&send_queue, &["A2", "C3"]);
        assert_eq!(dequeue_before(&send_queue, sequence).unwrap().unwrap(), "b");
        assert_eq!(dequeue_before(&send_queue, sequence).unwrap(), None);
        assert_eq!(take(&send_queue).unwrap(), ["A2", "C3"]);
    }

    #[test]
    fn nothing_comes_by_a_way_that_has_ended_or_looks_otherwise() {
        let send_queue = send_queue(9, 100, OverflowPolicy::Close);
        assert_eq!(put_in(&send_queue, "a", 0, Some(0)), EnqueueOutcome::In);
        assert_eq!(put_in(&send_queue, "b", 0, None), EnqueueOutcome::Gone);
        assert_eq!(put_in(&send_queue, "c", 0, Some(1)), EnqueueOutcome::Changed);
        assert_eq!(take(&send_queue).unwrap(), ["a"]);
    }

    #[test]
    fn what_is_recalled_is_asked_about_again_and_so_is_what_was_asked_about_before() {
        let send_queue = send_queue(9, 100, OverflowPolicy::Close);
        enqueue(&send_queue, &["a", "b"]);
        let before = send_queue.epoch();
        let (epoch, recalled) = send_queue.recall();
        assert_eq!((epoch, recalled.collect::<Vec<_>>()), (before + 1, vec!["a", "b"]));
        assert_eq!(take(&send_queue).unwrap(), Vec::<String>::new());
        assert_eq!(put_in(&send_queue, "c", before, Some(0)), EnqueueOutcome::Stale);
        enqueue(&send_queue, &["d"]);
        assert_eq!(take(&send_queue).unwrap(), ["d"]);
    }
}
