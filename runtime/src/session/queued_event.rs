//! A queued or deferred event of any type, with what it takes to authorize it again at a session of type `S`.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::delivery_path::{DeliveryPath, OwnedDeliveryPath};
use super::overflow::Coalesce;
use super::send_queue::EnqueueOutcome;

/// An event, its delivery path and its coalescing key.
pub(crate) struct EventHandle<S> {
    event: Arc<dyn QueuedEvent<S>>,
    path: OwnedDeliveryPath,
    key: Option<u64>,
}

impl<S> EventHandle<S> {
    pub(crate) fn new(event: Arc<dyn QueuedEvent<S>>, path: OwnedDeliveryPath, key: Option<u64>) -> EventHandle<S> {
        EventHandle { event, path, key }
    }

    /// Authorizes the event, loading grants if necessary, and enqueues it if the subscriber may see it. `Stale` if the
    /// epoch has changed meanwhile.
    pub(crate) async fn settle(&self, session: &Arc<S>, epoch: u64) -> EnqueueOutcome {
        self.event.clone().settle(session, self.path.as_path(), epoch).await
    }
}

impl<S> Coalesce for EventHandle<S> {
    fn coalescing_key(&self) -> Option<(u64, usize)> {
        self.key.map(|key| (key, self.path.address()))
    }
}

impl<S> Clone for EventHandle<S> {
    fn clone(&self) -> Self {
        EventHandle { event: self.event.clone(), path: self.path.clone(), key: self.key }
    }
}

/// An event of any type. Implemented by [`Publication`](crate::pubsub::publication::Publication).
pub(crate) trait QueuedEvent<S>: Send + Sync {
    /// See [`EventHandle::settle`].
    fn settle<'s>(
        self: Arc<Self>,
        session: &'s Arc<S>,
        path: DeliveryPath<'s>,
        epoch: u64,
    ) -> BoxFuture<'s, EnqueueOutcome>;
}
