//! How events come to wait at a session: deferred for the revalidator, or in the side queue of a membership. The overflow
//! policy applies to them as it does to queued ones.

use std::collections::VecDeque;
use std::sync::Arc;

use super::delivery_path::DeliveryPath;
use super::overflow::{OverflowPolicy, take_superseded};
use super::queued_event::EventHandle;
use super::send_queue::{EnqueueOutcome, UNREAD_FACTOR};
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::Epoch;
use crate::sync::atomic::Ordering;
use crate::transport::{CloseReason, EventFrame};

/// What the overflow policy does with events that wait.
enum Overflow<C: Consumer> {
    None,
    Dropped(Vec<EventHandle<Session<C>>>),
    Close,
}

impl<C: Consumer> Session<C> {
    /// Defers an event, and applies the overflow policy if too many are deferred.
    pub(crate) fn push_deferred(self: &Arc<Self>, handle: EventHandle<Session<C>>) {
        let mut deferred = self.lock_deferred();
        if self.send_queue.is_closed() {
            return;
        }
        deferred.events.push_back(handle);
        if deferred.events.len() > self.send_queue.max_events() / 2 {
            deferred.paused_publishers.hold_current(true);
        }
        let overflow = self.apply_overflow(&mut deferred.events);
        self.ensure_running(deferred);
        self.finish_overflow(overflow);
    }

    /// Defers the events of a history that are replayed to this session. They do not count for the overflow policy: the
    /// revalidator delivers each when the send queue has room.
    pub(crate) fn push_replayed(self: &Arc<Self>, handles: impl ExactSizeIterator<Item = EventHandle<Session<C>>>) {
        let mut deferred = self.lock_deferred();
        if handles.len() > 0 && !self.send_queue.is_closed() {
            deferred.events.extend(handles);
            self.ensure_running(deferred);
        }
    }

    /// Lets an event wait until the permission of its group has been evaluated again.
    pub(crate) fn push_held(self: &Arc<Self>, handle: EventHandle<Session<C>>) {
        let mut deferred = self.lock_deferred();
        // The group permission may have been evaluated meanwhile: its events then go through the list. So does this one if
        // a change has taken earlier events back: those are in the list, and would get behind this one.
        let is_direct = !self.has_deferred.load(Ordering::SeqCst);
        let Some(membership) = handle.path().as_path().unverified().filter(|_| is_direct).cloned() else {
            drop(deferred);
            return self.push_deferred(handle);
        };
        if self.send_queue.is_closed() {
            return;
        }
        let events = deferred.side_queue(&membership);
        events.push_back(handle);
        let overflow = self.apply_overflow(events);
        drop(deferred);
        self.finish_overflow(overflow);
    }

    /// Lets the event that is being authorized wait until the permission of its group has been evaluated again.
    pub(crate) fn hold_in_progress(&self, path: DeliveryPath<'_>, epoch: Epoch) {
        let mut deferred = self.lock_deferred();
        // A change of rights takes the event back itself. A permission that has been evaluated meanwhile does not, so the
        // event is authorized once more.
        if self.send_queue.epoch() != epoch {
            return;
        }
        let Some(handle) = deferred.in_progress.take() else { return };
        let overflow = if let Some(membership) = path.unverified() {
            let events = deferred.side_queue(membership);
            events.push_back(handle);
            self.apply_overflow(events)
        } else {
            deferred.events.push_front(handle);
            Overflow::None
        };
        drop(deferred);
        self.finish_overflow(overflow);
    }

    /// Enqueues the event that is being authorized, and removes it from the revalidator in one step, so that a change of
    /// rights takes it back either from there or from the send queue.
    pub(crate) fn enqueue_in_progress(
        self: &Arc<Self>,
        frame: EventFrame,
        handle: EventHandle<Session<C>>,
        epoch: Epoch,
        frame_version: u64,
        version: impl FnOnce() -> Result<u64, EnqueueOutcome>,
    ) -> EnqueueOutcome {
        let mut deferred = self.lock_deferred();
        let (outcome, discarded) = self.send_queue.enqueue(frame, handle, epoch, frame_version, version);
        let is_settled = matches!(
            outcome,
            EnqueueOutcome::Enqueued | EnqueueOutcome::EnqueuedForFlusher | EnqueueOutcome::Discarded
        );
        let delivered = if is_settled { deferred.in_progress.take() } else { None };
        drop(deferred);
        // Not under the lock: dropping an event may run the application's code.
        drop((delivered, discarded));
        self.pass_to_flusher(outcome)
    }

    /// Applies the overflow policy to events that wait. They are not encoded yet, so only their number counts.
    fn apply_overflow(&self, events: &mut VecDeque<EventHandle<Session<C>>>) -> Overflow<C> {
        let max_events = self.send_queue.max_events().saturating_mul(UNREAD_FACTOR);
        // Some of the replayed ones may wait elsewhere; there are at most as many as a history has.
        if events.len() <= max_events.saturating_add(self.replayed_count()) {
            return Overflow::None;
        }
        let superseded: Vec<_> = match self.send_queue.overflow_policy() {
            OverflowPolicy::Close => Vec::new(),
            OverflowPolicy::DropOldest => {
                let oldest = events.iter().position(|handle| !handle.is_replayed());
                oldest.and_then(|index| events.remove(index)).into_iter().collect()
            }
            OverflowPolicy::KeepNewest => take_superseded(events, |event| event),
        };
        if superseded.is_empty() { Overflow::Close } else { Overflow::Dropped(superseded) }
    }

    /// Closes the connection or counts the dropped events, after the lock of the deferred state was released.
    fn finish_overflow(&self, overflow: Overflow<C>) {
        match overflow {
            Overflow::None => {}
            Overflow::Dropped(superseded) => self.send_queue.record_dropped(superseded.len()),
            Overflow::Close => self.close_with(CloseReason::TooSlow),
        }
    }
}
