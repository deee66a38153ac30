//! An event that waits in a session, without its type.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::delivery_path::{DeliveryPath, OwnedDeliveryPath};
use super::overflow::Coalesce;
use super::send_queue::EnqueueOutcome;
use super::session::Session;
use crate::consumer::Consumer;

/// What it takes to ask about an event once more: the event, and the way that it comes by.
pub(crate) struct EventHandle<C: Consumer> {
    event: Arc<dyn QueuedEvent<C>>,
    path: OwnedDeliveryPath<C>,
    key: Option<u64>,
}

impl<C: Consumer> EventHandle<C> {
    pub(crate) fn new(event: Arc<dyn QueuedEvent<C>>, path: OwnedDeliveryPath<C>, key: Option<u64>) -> EventHandle<C> {
        EventHandle { event, path, key }
    }

    /// Asks about it, waiting for grants, and delivers it where that is a yes. `Stale`: the grants have changed meanwhile.
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

pub(crate) trait QueuedEvent<C: Consumer>: Send + Sync {
    fn settle<'s>(
        self: Arc<Self>,
        session: &'s Arc<Session<C>>,
        path: DeliveryPath<'s, C>,
        epoch: u64,
    ) -> BoxFuture<'s, EnqueueOutcome>;
}
