//! One event on its way to everybody who may see it: what is the same for all of them is made once.

use std::any::TypeId;
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::event::{Emits, Frame, Subscriber, hash_coalescing_key};
use super::membership::{DeliveryPath, OwnedDeliveryPath};
use crate::consumer::Consumer;
use crate::context::Scope;
use crate::dialect::native;
use crate::error::Result;
use crate::log::Cause;
use crate::panic::{Contained, catch_unwind};
use crate::session::overflow::Coalesce;
use crate::session::send_queue::EnqueueOutcome;
use crate::session::session::Session;
use crate::transport::Text;

/// An event that was published.
pub(crate) struct Publication<E> {
    event: Contained<E>,
    /// What frames call the one group that it was published to.
    group_name: Option<Arc<str>>,
    /// Found out once somebody may see it.
    shared: OnceLock<Shared>,
    /// What it is about, with its type. Found out once it waits for somebody.
    key: OnceLock<Option<u64>>,
}

/// Whether the frame is the same for everybody.
enum Shared {
    No,
    /// Nothing where it could not be made.
    Yes(Option<Text>),
}

impl<E> Publication<E> {
    pub(crate) fn new(event: Contained<E>, group_name: Option<Arc<str>>) -> Arc<Publication<E>> {
        Arc::new(Publication { event, group_name, shared: OnceLock::new(), key: OnceLock::new() })
    }

    #[inline]
    pub(crate) fn event(&self) -> &E {
        &self.event
    }

    /// The frame for one of them. Nothing where there is none for them.
    pub(crate) fn frame<C: Emits<E>>(
        &self,
        seat: &Session<C>,
        scope: &Scope<C::User>,
        way: DeliveryPath<'_, C>,
    ) -> Option<Text> {
        let (frame, named) = match self.shared.get_or_init(|| self.share(seat)) {
            Shared::Yes(frame) => (frame.clone()?, self.group_name.is_some()),
            Shared::No => match made::<C, E>(seat, || seat.consumer.personal_frame(scope, self.event())) {
                Made::Frame(Frame(frame)) => (frame, false),
                Made::Nothing | Made::Failed => return None,
            },
        };
        let group = if named { None } else { way.group_name() };
        let ids = if way.shows_ids() { way.request_ids() } else { Vec::new() };
        if group.is_none() && ids.is_empty() {
            return Some(frame);
        }
        Some(native::event_for(&frame, group, &ids))
    }

    fn share<C: Emits<E>>(&self, seat: &Session<C>) -> Shared {
        match made::<C, E>(seat, || seat.consumer.shared_frame(self.event())) {
            Made::Nothing => Shared::No,
            Made::Failed => Shared::Yes(None),
            Made::Frame(Frame(frame)) => Shared::Yes(Some(match &self.group_name {
                Some(name) => native::event_for(&frame, Some(name), &[]),
                None => frame,
            })),
        }
    }

    /// What it takes to ask about it once more.
    pub(crate) fn note<C>(self: &Arc<Self>, seat: &Session<C>, way: DeliveryPath<'_, C>) -> EventHandle<C>
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let key = || {
            seat.consumer.coalescing_key(self.event()).and_then(|key| hash_coalescing_key(&(TypeId::of::<E>(), key)))
        };
        // One whose key cannot be told stands for itself.
        let key = self.key.get_or_init(|| catch_unwind(key).unwrap_or_default());
        EventHandle { event: self.clone(), way: way.owned(), key: *key }
    }
}

enum Made {
    Nothing,
    Frame(Frame),
    Failed,
}

/// Makes a frame. What goes wrong concerns nobody but those who would have got it.
fn made<C: Emits<E>, E>(seat: &Session<C>, make: impl FnOnce() -> Option<Result<Frame>>) -> Made {
    match catch_unwind(make) {
        Ok(None) => return Made::Nothing,
        Ok(Some(Ok(frame))) => return Made::Frame(frame),
        Ok(Some(Err(error))) => {
            tracing::error!(event = <C as Emits<E>>::NAME, cause = ?Cause::new(&error), "event not sent: encoding failed");
        }
        Err(panic) => {
            tracing::error!(event = <C as Emits<E>>::NAME, cause = ?Cause::new(&panic.message()), "event not sent: `#[event]` method panicked");
        }
    }
    seat.hub.counts.failed();
    Made::Failed
}

/// What it takes to ask about an event once more: the event, and the way that it comes by.
pub(crate) struct EventHandle<C: Consumer> {
    event: Arc<dyn QueuedEvent<C>>,
    way: OwnedDeliveryPath<C>,
    key: Option<u64>,
}

impl<C: Consumer> EventHandle<C> {
    /// Asks about it, waiting for grants, and delivers it where that is a yes. `Stale`: the grants have changed meanwhile.
    pub(crate) async fn settle(&self, seat: &Arc<Session<C>>, epoch: u64) -> EnqueueOutcome {
        self.event.clone().settle(seat, self.way.as_way(), epoch).await
    }
}

impl<C: Consumer> Coalesce for EventHandle<C> {
    fn stands_for(&self) -> Option<(u64, usize)> {
        self.key.map(|key| (key, self.way.address()))
    }
}

impl<C: Consumer> Clone for EventHandle<C> {
    fn clone(&self) -> Self {
        EventHandle { event: self.event.clone(), way: self.way.clone(), key: self.key }
    }
}

trait QueuedEvent<C: Consumer>: Send + Sync {
    fn settle<'s>(
        self: Arc<Self>,
        seat: &'s Arc<Session<C>>,
        way: DeliveryPath<'s, C>,
        epoch: u64,
    ) -> BoxFuture<'s, EnqueueOutcome>;
}

impl<C: Consumer + Emits<E>, E: Send + Sync + 'static> QueuedEvent<C> for Publication<E> {
    fn settle<'s>(
        self: Arc<Self>,
        seat: &'s Arc<Session<C>>,
        way: DeliveryPath<'s, C>,
        epoch: u64,
    ) -> BoxFuture<'s, EnqueueOutcome> {
        Box::pin(async move {
            let Some(scope) = seat.scope() else { return EnqueueOutcome::Gone };
            let mut seeing = Subscriber::new(&*scope);
            let refused = || {
                seat.hub.counts.refused();
                EnqueueOutcome::Gone
            };
            loop {
                if seat.mailbox.epoch() != epoch {
                    return EnqueueOutcome::Stale;
                }
                match seat.looks(&seeing, &self) {
                    Some(true) => return seat.hand_over(&scope, &self, way, epoch),
                    Some(false) => return refused(),
                    None => {}
                }
                match timeout(seat.time, seeing.load()).await {
                    // What is known now may be forgotten by the time it is looked at; each round has waited for the source.
                    Ok(Ok(())) => continue,
                    Ok(Err(error)) => {
                        tracing::error!(event = <C as Emits<E>>::NAME, cause = ?Cause::new(&error), "event refused: grants could not be loaded");
                    }
                    Err(_) => tracing::error!(event = <C as Emits<E>>::NAME, "event refused: loading grants timed out"),
                }
                seat.hub.counts.failed();
                return refused();
            }
        })
    }
}
