//! A queued or deferred event of any type, with what it takes to authorize it again at a session of type `S`.

use std::any::Any;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::delivery_path::{DeliveryPath, OwnedDeliveryPath};
use super::overflow::Coalesce;
use super::replay_budget::ReplayPermit;
use super::send_queue::EnqueueOutcome;
use crate::context::Epoch;
use crate::transport::EventFrame;

/// An event, its delivery path and the hash of its coalescing key.
pub(crate) struct EventHandle<S> {
    event: Arc<dyn QueuedEvent<S>>,
    path: OwnedDeliveryPath,
    /// `None` if the event has no coalescing key.
    coalescing_hash: Option<u64>,
    /// Of an event that is replayed from a history. It waits until the send queue has room, and is never dropped before.
    replay_permit: Option<Arc<ReplayPermit>>,
}

/// The frame of an event for one session, and what it takes to authorize the event again.
pub(crate) type FrameAndHandle<S> = (EventFrame, EventHandle<S>);

impl<S: 'static> EventHandle<S> {
    pub(crate) fn new(
        event: Arc<dyn QueuedEvent<S>>,
        path: OwnedDeliveryPath,
        coalescing_hash: Option<u64>,
    ) -> EventHandle<S> {
        EventHandle { event, path, coalescing_hash, replay_permit: None }
    }

    /// Creates the handle of an event that is replayed from a history.
    pub(crate) fn replayed(
        event: Arc<dyn QueuedEvent<S>>,
        path: OwnedDeliveryPath,
        permit: Arc<ReplayPermit>,
    ) -> EventHandle<S> {
        EventHandle { event, path, coalescing_hash: None, replay_permit: Some(permit) }
    }

    pub(super) fn is_replayed(&self) -> bool {
        self.replay_permit.is_some()
    }

    pub(super) fn path(&self) -> &OwnedDeliveryPath {
        &self.path
    }

    /// Authorizes the event, loading grants if necessary, and enqueues it if the subscriber may see it. `Stale` if the
    /// epoch has changed meanwhile.
    pub(crate) async fn settle(&self, session: &Arc<S>, epoch: Epoch) -> EnqueueOutcome {
        self.event.clone().settle(session, self.path.as_path(), epoch).await
    }
}

impl<S: 'static> Coalesce for EventHandle<S> {
    fn coalescing_key(&self) -> Option<impl Eq + Hash> {
        self.coalescing_hash.map(|hash| CoalescingKey { hash, path_address: self.path.address(), event: &*self.event })
    }
}

/// The coalescing key of an event, its type included, together with its delivery path.
struct CoalescingKey<'a, S> {
    hash: u64,
    path_address: usize,
    event: &'a (dyn QueuedEvent<S> + 'static),
}

impl<S: 'static> PartialEq for CoalescingKey<'_, S> {
    fn eq(&self, other: &Self) -> bool {
        // Different keys may have the same hash.
        (self.hash, self.path_address) == (other.hash, other.path_address) && self.event.has_equal_key(other.event)
    }
}

impl<S: 'static> Eq for CoalescingKey<'_, S> {}

impl<S> Hash for CoalescingKey<'_, S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.hash, self.path_address).hash(state);
    }
}

impl<S> Clone for EventHandle<S> {
    fn clone(&self) -> Self {
        let (event, path) = (self.event.clone(), self.path.clone());
        let (coalescing_hash, replay_permit) = (self.coalescing_hash, self.replay_permit.clone());
        EventHandle { event, path, coalescing_hash, replay_permit }
    }
}

/// An event of any type. Implemented by [`Publication`](crate::pubsub::publication::Publication).
pub(crate) trait QueuedEvent<S>: Any + Send + Sync {
    /// Returns whether another event has the same type and an equal coalescing key. Runs the application's `Eq`, under the
    /// lock of the queue that holds both events, and only if the hashes of the keys are equal.
    fn has_equal_key(&self, other: &(dyn QueuedEvent<S> + 'static)) -> bool;

    /// See [`EventHandle::settle`].
    fn settle<'s>(
        self: Arc<Self>,
        session: &'s Arc<S>,
        path: DeliveryPath<'s>,
        epoch: Epoch,
    ) -> BoxFuture<'s, EnqueueOutcome>;
}
