//! The deferred events and the pending changes of rights of one session of type `S`: the work of its revalidator.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use super::backpressure::PausedPublishers;
use super::membership::Membership;
use super::queued_event::EventHandle;
use crate::context::Epoch;
use crate::sync::oneshot;

/// The work of the revalidator, in order.
pub(crate) struct Deferred<S> {
    pub(super) events: VecDeque<EventHandle<S>>,
    /// The event that is being authorized. A change of rights takes it back to the front of the list.
    pub(crate) in_progress: Option<EventHandle<S>>,
    /// The callers that wait for a change of rights to be applied. Changes go before all events.
    pub(super) pending_changes: Vec<oneshot::Sender<()>>,
    /// The events that wait for the permission of a group, per membership. Each comes after all events by the same membership
    /// that were queued, and before those in `events`.
    pub(super) side_queues: Vec<SideQueue<S>>,
    /// Whether the running task applies changes that it has taken from `pending_changes`: it evaluates the connect permission
    /// or group permissions.
    pub(super) is_revalidating: bool,
    /// Wakes the running task.
    pub(super) task_waker: Option<Waker>,
    /// The number of the running task, or `None` if there is none.
    pub(super) task: Option<u64>,
    /// The number of tasks spawned so far.
    pub(super) task_count: u64,
    /// The publishing connections that are held until no deferred event is left. Each is held at most once, because a check
    /// may take long.
    pub(super) paused_publishers: PausedPublishers,
}

/// The events that wait for one membership.
pub(super) struct SideQueue<S> {
    pub(super) membership: Arc<Membership>,
    pub(super) events: VecDeque<EventHandle<S>>,
}

impl<S> Deferred<S> {
    pub(crate) fn new() -> Deferred<S> {
        Deferred {
            events: VecDeque::new(),
            in_progress: None,
            pending_changes: Vec::new(),
            side_queues: Vec::new(),
            is_revalidating: false,
            task_waker: None,
            task: None,
            task_count: 0,
            paused_publishers: PausedPublishers::default(),
        }
    }

    /// Returns the side queue of a membership, and creates it if the membership has none.
    pub(super) fn side_queue(&mut self, membership: &Arc<Membership>) -> &mut VecDeque<EventHandle<S>> {
        let known = self.side_queues.iter().position(|queue| Arc::ptr_eq(&queue.membership, membership));
        let index = known.unwrap_or_else(|| {
            self.side_queues.push(SideQueue { membership: membership.clone(), events: VecDeque::new() });
            self.side_queues.len() - 1
        });
        &mut self.side_queues[index].events
    }

    /// Removes and returns the events that wait for a membership.
    pub(super) fn take_side_queue(&mut self, membership: &Arc<Membership>) -> VecDeque<EventHandle<S>> {
        let known = self.side_queues.iter().position(|queue| Arc::ptr_eq(&queue.membership, membership));
        known.map(|index| self.side_queues.swap_remove(index).events).unwrap_or_default()
    }

    /// Puts events that have waited for a membership before all others: later ones by the same membership may be among them,
    /// also the one that is being authorized, which is therefore authorized once more.
    pub(super) fn resume(&mut self, waiting: VecDeque<EventHandle<S>>) {
        for handle in waiting.into_iter().chain(self.in_progress.take()).rev() {
            self.events.push_front(handle);
        }
    }

    /// Takes events back before a new evaluation: those that were queued, those that wait for memberships, and the one that
    /// is being authorized, in this order.
    pub(super) fn take_back(&mut self, queued: impl DoubleEndedIterator<Item = EventHandle<S>>) {
        if let Some(in_progress) = self.in_progress.take() {
            self.events.push_front(in_progress);
        }
        let waiting = std::mem::take(&mut self.side_queues).into_iter().flat_map(|queue| queue.events);
        let waiting: Vec<_> = waiting.collect();
        for handle in queued.chain(waiting).rev() {
            self.events.push_front(handle);
        }
    }
}

/// A revalidation that is pending. It continues if this value is dropped.
pub(crate) struct PendingRevalidation {
    pub(super) completed: oneshot::Receiver<()>,
    /// The epoch that the change began.
    pub(crate) epoch: Epoch,
}

impl PendingRevalidation {
    /// Waits until the session has been revalidated or has ended.
    ///
    /// # Cancel safety
    ///
    /// The revalidation continues if the future is dropped.
    pub(crate) async fn wait(self) {
        let _ = self.completed.await;
    }
}
