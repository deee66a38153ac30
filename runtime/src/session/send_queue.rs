//! The send queue: the bounded queue of outbound events of one session.
//!
//! Overflow: [`SendQueue::enqueue`] applies the [`OverflowPolicy`] as soon as the queue exceeds its limits, so a client
//! that does not read delays no publisher. Revalidation: [`SendQueue::recall`] begins an epoch and takes all queued events
//! back, so that they are authorized again. Backpressure: a queue that is more than half full holds the publishing
//! connection, see [`backpressure`](super::backpressure). Delivery: the task of the connection dequeues the events and sends
//! them, or the flusher does while the task is parked, see [`parking`].

pub(crate) mod parking;

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::backpressure::{Pacer, PausedPublishers};
use super::discarded::Discarded;
use super::overflow::{Coalesce, OverflowPolicy};
use super::queue_state::{QueueEntry, QueueState, TASK};
use crate::context::{Epoch, StartGate};
use crate::observe::Telemetry;
use crate::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use crate::sync::{AtomicWaker, Mutex, MutexGuard, lock};
use crate::transport::{CloseReason, ConnectionEnd, EventFrame};

/// The factor by which the limits are raised for a reader that has not run since its events were queued.
pub(super) const UNREAD_FACTOR: usize = 4;

/// The send queue of one session. `N` is what it takes to authorize an event again.
#[repr(C)]
pub(crate) struct SendQueue<N> {
    /// The epoch of the session's rights. Raised under the lock of `state` only. First field, so that it is next to the
    /// other fields of the session that are read for every event.
    start_gate: StartGate,
    /// Whether an event is queued or the connection is to end. Lets the reader poll without the lock.
    has_work: AtomicBool,
    /// Whether the reader has run and its socket could not take the queued events.
    is_stalled: AtomicBool,
    /// What delivers the events, [`TASK`] or another constant in [`queue_state`](super::queue_state).
    deliverer: AtomicU8,
    /// Protects the queued events, and every increase of the epoch and write to `has_work` and to the `version` of the
    /// session's memberships. Lock order: after `Session::deferred`, `Memberships::list` and `Membership::holds`, before
    /// `Pacer::holds`.
    state: Mutex<QueueState<N>>,
    /// Wakes the connection's task.
    reader: AtomicWaker,
    max_events: usize,
    max_bytes: usize,
    overflow_policy: OverflowPolicy,
    telemetry: Arc<Telemetry>,
}

/// An event to send.
pub(crate) struct Dequeued {
    pub(crate) frame: EventFrame,
    /// Whether another event before the same sequence number is queued.
    pub(crate) has_more: bool,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnqueueOutcome {
    /// The event is queued.
    Enqueued,
    /// The event is queued, and the caller has to pass the session to the flusher.
    EnqueuedForFlusher,
    /// The event is not delivered: it was refused, its delivery path has ended, the queue is closed, or there is no frame
    /// for this subscriber.
    Discarded,
    /// The epoch has changed since the event was authorized, or events before it wait.
    Stale,
    /// The group's permission is being evaluated again, so the event has to wait.
    Unverified,
    /// What the frame shows of the delivery path has changed since the frame was encoded.
    PathChanged,
}

impl<N: Coalesce> SendQueue<N> {
    pub(crate) fn new(
        max_events: usize,
        max_bytes: usize,
        overflow_policy: OverflowPolicy,
        telemetry: Arc<Telemetry>,
    ) -> SendQueue<N> {
        let state = QueueState::new();
        let (start_gate, reader) = (StartGate::new(), AtomicWaker::new());
        let (has_work, is_stalled) = (AtomicBool::new(false), AtomicBool::new(false));
        let deliverer = AtomicU8::new(TASK);
        SendQueue {
            start_gate,
            state: Mutex::new(state),
            reader,
            has_work,
            is_stalled,
            deliverer,
            max_events,
            max_bytes,
            overflow_policy,
            telemetry,
        }
    }

    /// Enqueues an event that was authorized in `epoch`. `frame_version` is the version of the delivery path that the frame
    /// was encoded for, and `version` returns the current one, or why the event is not enqueued. Also returns what is
    /// discarded, which the caller drops after it has released its own locks.
    pub(crate) fn enqueue(
        &self,
        frame: EventFrame,
        handle: N,
        epoch: Epoch,
        frame_version: u64,
        version: impl FnOnce() -> Result<u64, EnqueueOutcome>,
    ) -> (EnqueueOutcome, Discarded<'_, N>) {
        // Before the lock, so that it is dropped after it if the application's code panics.
        let mut discarded = self.discard_nothing();
        let mut state = self.lock_state();
        // Compared under the lock, so that no change of rights or of the delivery path comes between the check and the
        // push.
        let rejected = match version() {
            _ if self.epoch() != epoch => Some(EnqueueOutcome::Stale),
            Err(outcome) => Some(outcome),
            Ok(now) if now != frame_version => Some(EnqueueOutcome::PathChanged),
            Ok(_) if !state.is_closed() => None,
            Ok(_) => Some(EnqueueOutcome::Discarded),
        };
        if let Some(outcome) = rejected {
            discarded.handles.push(handle);
            return (outcome, discarded);
        }
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        state.bytes += frame.len();
        state.events.push_back(QueueEntry { sequence, frame, handle });
        let is_stalled = self.is_stalled.load(Ordering::Relaxed);
        let factor = if is_stalled { 1 } else { UNREAD_FACTOR };
        // An event that is larger than the whole queue is delivered if no other one is queued: the connection would come back
        // and meet it again.
        while state.events.len() > self.max_events.saturating_mul(factor)
            || state.events.len() > 1 && state.bytes > self.max_bytes.saturating_mul(factor)
        {
            let superseded = state.apply_overflow(self.overflow_policy);
            if superseded.is_empty() && !state.events.is_empty() {
                let Discarded { handles, is_closed, .. } = &mut discarded;
                *is_closed = self.close_state(state, CloseReason::TooSlow, handles);
                return (EnqueueOutcome::Discarded, discarded);
            }
            discarded.dropped += superseded.len();
            discarded.handles.extend(superseded.into_iter().map(|entry| entry.handle));
        }
        if !is_stalled && self.is_crowded(&state) {
            state.paused_publishers.hold_current(false);
        }
        // The task and the flusher go on until the queue is empty, so one wake-up is enough.
        let is_first = !self.has_work.swap(true, Ordering::SeqCst);
        let outcome = if is_first && self.queue_for_flusher() {
            EnqueueOutcome::EnqueuedForFlusher
        } else {
            EnqueueOutcome::Enqueued
        };
        drop(state);
        if is_first && outcome == EnqueueOutcome::Enqueued {
            self.reader.wake();
        }
        (outcome, discarded)
    }

    /// Returns whether more than half of `max_events` or `max_bytes` is queued, without the factor for a reader that has
    /// not run.
    fn is_crowded(&self, state: &QueueState<N>) -> bool {
        state.events.len() > self.max_events / 2 || state.bytes > self.max_bytes / 2
    }

    /// Returns a pacer that the reader holds until it has run, if the events that it had no chance to dequeue yet reach
    /// `max_events` or `max_bytes`, not multiplied by [`UNREAD_FACTOR`].
    pub(super) fn hold_if_full(&self) -> Option<Arc<Pacer>> {
        let mut state = self.lock_state();
        let is_full = state.events.len() >= self.max_events || state.bytes >= self.max_bytes;
        if !is_full || state.events.is_empty() || state.is_closed() || self.is_stalled.load(Ordering::Relaxed) {
            return None;
        }
        let pacer = Pacer::new();
        state.paused_publishers.hold(&pacer, false);
        Some(pacer)
    }

    /// Returns a pacer that the reader holds until at most half of `max_events` and `max_bytes` is queued, or until something else
    /// has released it. `None` if that is so, or if the queue is closed.
    pub(super) fn hold_if_crowded(&self) -> Option<Arc<Pacer>> {
        let mut state = self.lock_state();
        if state.is_closed() || !self.is_crowded(&state) {
            return None;
        }
        let pacer = Pacer::new();
        state.paused_publishers.hold(&pacer, false);
        Some(pacer)
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

    /// Returns the capacity in events.
    pub(crate) fn max_events(&self) -> usize {
        self.max_events
    }

    /// Returns the overflow policy.
    pub(crate) fn overflow_policy(&self) -> OverflowPolicy {
        self.overflow_policy
    }

    /// Counts deferred events that were dropped before they were authorized.
    pub(crate) fn record_dropped(&self, events: usize) {
        self.lock_state().dropped += events as u64;
        self.telemetry.record_overflow(events, false);
    }

    /// Returns whether the queue accepts no further event.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock_state().is_closed()
    }

    /// Ends the connection for `reason`, unless it ends already, and returns the queued events.
    pub(crate) fn close_with(&self, reason: CloseReason) -> Discarded<'_, N> {
        let mut discarded = self.discard_nothing();
        discarded.is_closed = self.close_state(self.lock_state(), reason, &mut discarded.handles);
        discarded
    }

    fn discard_nothing(&self) -> Discarded<'_, N> {
        Discarded::nothing(&self.telemetry)
    }

    /// As [`close_with`](Self::close_with), and moves the queued handles to `handles`. Returns whether the connection ends with
    /// 1013 because of this call.
    fn close_state(&self, mut state: MutexGuard<'_, QueueState<N>>, reason: CloseReason, handles: &mut Vec<N>) -> bool {
        let is_too_slow = !state.is_closed() && reason == CloseReason::TooSlow;
        state.close_reason.get_or_insert(reason);
        let discarded = std::mem::take(&mut state.events);
        state.bytes = 0;
        let paused_publishers = std::mem::take(&mut state.paused_publishers);
        self.start_gate.close();
        self.has_work.store(true, Ordering::SeqCst);
        drop(state);
        drop(paused_publishers);
        self.reader.wake();
        handles.extend(discarded.into_iter().map(|entry| entry.handle));
        is_too_slow
    }

    /// Runs an operation that must not come between the checks of [`enqueue`](Self::enqueue) and its push.
    pub(crate) fn with_queue_locked<T>(&self, operation: impl FnOnce() -> T) -> T {
        let _state = self.lock_state();
        operation()
    }

    /// Returns the current epoch.
    #[inline]
    pub(crate) fn epoch(&self) -> Epoch {
        self.start_gate.epoch()
    }

    /// Returns the start gate that each action of this session passes.
    #[inline]
    pub(crate) fn start_gate(&self) -> &StartGate {
        &self.start_gate
    }

    /// Begins an epoch, and returns its number and the queued events, which must be authorized again.
    pub(crate) fn recall(&self) -> (Epoch, impl DoubleEndedIterator<Item = N> + use<N>) {
        let mut state = self.lock_state();
        let epoch = self.start_gate.raise();
        state.bytes = 0;
        let (recalled, paused_publishers) =
            (std::mem::take(&mut state.events), std::mem::take(&mut state.paused_publishers));
        drop(state);
        drop(paused_publishers);
        (epoch, recalled.into_iter().map(|entry| entry.handle))
    }

    /// Returns whether an event is queued or the connection is to end.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.has_work.load(Ordering::Acquire)
    }

    /// Frees the buffer that a burst of events has grown, if the queue is empty.
    pub(crate) fn shrink(&self) {
        let mut state = self.lock_state();
        if state.events.is_empty() {
            state.events = VecDeque::new();
        }
    }

    /// Returns the sequence number of the next event to be enqueued: all queued events come before it.
    ///
    /// # Errors
    ///
    /// How the connection ends, if it is to end.
    pub(crate) fn next_sequence(&self) -> Result<u64, ConnectionEnd> {
        let state = self.lock_state();
        if let Some(reason) = state.close_reason {
            return Err(ConnectionEnd::Close(reason));
        }
        self.has_work.store(!state.events.is_empty(), Ordering::Release);
        Ok(state.next_sequence)
    }

    /// Removes and returns the oldest event if its sequence number is below `sequence`.
    ///
    /// # Errors
    ///
    /// How the connection ends, if it is to end.
    pub(crate) fn dequeue_before(&self, sequence: u64) -> Result<Option<Dequeued>, ConnectionEnd> {
        let mut state = self.lock_state();
        if let Some(reason) = state.close_reason {
            return Err(ConnectionEnd::Close(reason));
        }
        let oldest = state.events.front();
        let entry = if oldest.is_some_and(|entry| entry.sequence < sequence) { state.pop() } else { None };
        let next_sequence = state.events.front().map(|entry| entry.sequence);
        self.has_work.store(next_sequence.is_some(), Ordering::Release);
        self.unstall();
        let has_caught_up = !state.paused_publishers.is_empty() && !self.is_crowded(&state);
        let paused_publishers =
            if has_caught_up { std::mem::take(&mut state.paused_publishers) } else { PausedPublishers::default() };
        drop(state);
        drop(paused_publishers);
        // The handle is dropped here, outside of the lock: dropping an event may run the application's code.
        let Some(QueueEntry { frame, .. }) = entry else { return Ok(None) };
        // Counted here and not in `enqueue`, because a queued event may still be recalled or dropped.
        self.telemetry.record_deliveries(1);
        Ok(Some(Dequeued { frame, has_more: next_sequence.is_some_and(|next| next < sequence) }))
    }

    /// Returns the close code as an error if the connection is to end. Takes the lock only if it is, because this is called
    /// for every frame.
    #[inline]
    pub(crate) fn check_open(&self) -> Result<(), ConnectionEnd> {
        if !self.start_gate.is_closed() {
            return Ok(());
        }
        self.lock_state().close_reason.map_or(Ok(()), |reason| Err(ConnectionEnd::Close(reason)))
    }

    /// Waits until an event is queued or the connection is to end. Supports a single reader.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionEnd>> {
        if !self.has_work.load(Ordering::Acquire) {
            self.reader.register(cx.waker());
            if !self.has_work.load(Ordering::Acquire) {
                return Poll::Pending;
            }
        }
        Poll::Ready(self.check_open())
    }

    /// Waits until the connection is to end. Supports a single reader.
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<ConnectionEnd> {
        self.reader.register(cx.waker());
        self.check_open().map_or_else(Poll::Ready, |()| Poll::Pending)
    }

    /// Discards the queued events and accepts no further one. Unlike [`close`](Self::close), actions still start.
    pub(crate) fn end(&self) {
        let mut state = self.lock_state();
        state.has_ended = true;
        state.bytes = 0;
        let socket = state.socket.take();
        let discarded = std::mem::take(&mut state.events);
        let paused_publishers = std::mem::take(&mut state.paused_publishers);
        drop(state);
        drop((discarded, paused_publishers, socket));
    }

    /// Closes the queue for good. Returns how many events were dropped in its lifetime.
    pub(crate) fn close(&self) -> u64 {
        self.start_gate.close();
        self.end();
        self.lock_state().dropped
    }

    fn lock_state(&self) -> MutexGuard<'_, QueueState<N>> {
        lock(&self.state)
    }
}

#[cfg(test)]
mod tests;
