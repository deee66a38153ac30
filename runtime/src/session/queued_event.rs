//! A queued or deferred event of any type, with what it takes to authorize it again.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::delivery_path::{DeliveryPath, OwnedDeliveryPath};
use super::overflow::Coalesce;
use super::send_queue::EnqueueOutcome;
use super::session::Session;
use crate::consumer::Consumer;

/// An event, its delivery path and its coalescing key.
pub(crate) struct EventHandle<C: Consumer> {
    event: Arc<dyn QueuedEvent<C>>,
    path: OwnedDeliveryPath<C>,
    key: Option<u64>,
}

impl<C: Consumer> EventHandle<C> {
    pub(crate) fn new(event: Arc<dyn QueuedEvent<C>>, path: OwnedDeliveryPath<C>, key: Option<u64>) -> EventHandle<C> {
        EventHandle { event, path, key }
    }

    /// Authorizes the event, loading grants if necessary, and enqueues it if the subscriber may see it. `Stale` if the
    /// epoch has changed meanwhile.
    pub(crate) async fn settle(&self, session: &Arc<Session<C>>, epoch: u64) -> EnqueueOutcome {
        self.event.clone().settle(session, self.path.as_path(), epoch).await
    }
}

impl<C: Consumer> Coalesce for EventHandle<C> {
    fn coalescing_key(&self) -> Option<(u64, usize)> {
        self.key.map(|key| (key, self.path.address()))
    }
}

impl<C: Consumer> Clone for EventHandle<C> {
    fn clone(&self) -> Self {
        EventHandle { event: self.event.clone(), path: self.path.clone(), key: self.key }
    }
}

/// An event of any type. Implemented by [`Publication`](crate::pubsub::publication::Publication).
pub(crate) trait QueuedEvent<C: Consumer>: Send + Sync {
    /// See [`EventHandle::settle`].
    fn settle<'s>(
        self: Arc<Self>,
        session: &'s Arc<Session<C>>,
        path: DeliveryPath<'s, C>,
        epoch: u64,
    ) -> BoxFuture<'s, EnqueueOutcome>;
}
