//! The deferred events and the pending changes of rights of one session of type `S`: the work of its revalidator.

use std::collections::VecDeque;

use super::backpressure::PausedPublishers;
use super::queued_event::EventHandle;
use crate::sync::oneshot;

/// The work of the revalidator, in order.
pub(crate) struct Deferred<S> {
    pub(super) events: VecDeque<EventHandle<S>>,
    /// The event that is being authorized. A change of rights takes it back to the front of the list.
    pub(crate) in_progress: Option<EventHandle<S>>,
    /// The callers that wait for a change of rights to be applied. Changes go before all events.
    pub(super) pending_changes: Vec<oneshot::Sender<()>>,
    /// The number of the running task, or `None` if there is none.
    pub(super) task: Option<u64>,
    /// The number of tasks spawned so far.
    pub(super) task_count: u64,
    /// The publishing connections that are held until no deferred event is left. Each is held at most once, because a check
    /// may take long.
    pub(super) paused_publishers: PausedPublishers,
}

impl<S> Deferred<S> {
    pub(crate) fn new() -> Deferred<S> {
        Deferred {
            events: VecDeque::new(),
            in_progress: None,
            pending_changes: Vec::new(),
            task: None,
            task_count: 0,
            paused_publishers: PausedPublishers::default(),
        }
    }
}
