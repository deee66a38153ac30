//! One event and what all its deliveries share: the encoded frame and the hash of the coalescing key.

use std::any::{Any, TypeId};
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;

use super::coalescing_key::hash_coalescing_key;
use super::event::{Emits, Subscriber};
use super::outgoing_event::{OutgoingEvent, encode_frame, log_failure};
use super::position::EventPosition;
use super::settlement::settle;
use crate::consumer::Consumer;
use crate::context::{Epoch, Scope};
use crate::dialect::{Dialect, Native};
use crate::panic::{Contained, catch_unwind};
use crate::permission::Refused;
use crate::session::delivery_path::DeliveryPath;
use crate::session::queued_event::{EventHandle, FrameAndHandle, QueuedEvent};
use crate::session::send_queue::EnqueueOutcome;
use crate::session::session::Session;
use crate::transport::EventFrame;

/// A published event.
pub(crate) struct Publication<E> {
    event: Contained<E>,
    /// The public name of the group, if the event was published to a single one.
    group_name: Option<Arc<str>>,
    /// The shared frame, encoded for the first subscriber that may see the event, unless it was encoded before.
    shared_frame: OnceLock<SharedFrame>,
    /// The position in the history of the group, if it has one. Boxed, because most groups have none.
    position: Option<Box<EventPosition>>,
    /// The hash of the coalescing key and the event's type. Computed when the event is first queued.
    coalescing_hash: OnceLock<Option<u64>>,
}

/// Whether all subscribers get the same frame.
enum SharedFrame {
    /// Each subscriber gets a frame of its own.
    PerSubscriber,
    /// All subscribers get this frame; `None` if encoding failed.
    Same(Option<EventFrame>),
}

impl SharedFrame {
    /// Encodes the frame that all subscribers get.
    fn new(text: &str, group_name: Option<&str>, position: Option<&str>) -> SharedFrame {
        let named = group_name.map(|name| Native::address_event(text, Some(name), &[]));
        let text = named.as_deref().unwrap_or(text);
        SharedFrame::Same(Some(match position {
            Some(position) => EventFrame::new(&Native::add_position(text, position)),
            None => EventFrame::new(text),
        }))
    }
}

impl<E> Publication<E> {
    pub(crate) fn new(event: OutgoingEvent<E>, group_name: Option<Arc<str>>) -> Arc<Publication<E>> {
        Publication::create(event, group_name, None)
    }

    /// Creates an event at a position in the history of its group.
    pub(super) fn at_position(
        event: OutgoingEvent<E>,
        group_name: Option<Arc<str>>,
        position: EventPosition,
    ) -> Arc<Publication<E>> {
        Publication::create(event, group_name, Some(Box::new(position)))
    }

    fn create(
        event: OutgoingEvent<E>,
        group_name: Option<Arc<str>>,
        position: Option<Box<EventPosition>>,
    ) -> Arc<Publication<E>> {
        let OutgoingEvent { event, text, body: _ } = event;
        let position_text = position.as_ref().and_then(|position| position.text());
        let shared_frame = text.map(|text| SharedFrame::new(&text, group_name.as_deref(), position_text));
        let shared_frame = shared_frame.map_or_else(OnceLock::new, OnceLock::from);
        Arc::new(Publication { event, group_name, shared_frame, position, coalescing_hash: OnceLock::new() })
    }

    fn position_text(&self) -> Option<&str> {
        self.position.as_ref().and_then(|position| position.text())
    }

    #[inline]
    pub(crate) fn event(&self) -> &E {
        &self.event
    }

    /// Encodes the frame for one subscriber. `None` if it gets none or encoding failed.
    pub(crate) fn frame<C: Emits<E>>(
        &self,
        session: &Session<C>,
        scope: &Scope<C::User>,
        path: DeliveryPath<'_>,
    ) -> Option<EventFrame> {
        let shared = match self.shared_frame.get_or_init(|| self.encode_shared(session)) {
            SharedFrame::Same(shared) => Some(shared.as_ref()?),
            SharedFrame::PerSubscriber => None,
        };
        let has_group_name = shared.is_some() && self.group_name.is_some();
        let group = if has_group_name { None } else { path.group_name() };
        let ids = if path.shows_ids() { path.request_ids() } else { Vec::new() };
        let has_address = group.is_some() || !ids.is_empty();
        let text = match shared {
            Some(frame) if !has_address => return Some(frame.clone()),
            Some(frame) => frame.text(),
            None => {
                let personal_frame = || session.consumer.personal_frame(scope, self.event());
                let encoded = encode_frame::<C, E>(session, personal_frame);
                encoded.map_err(|error| log_failure::<C, E>(&error)).ok()??
            }
        };
        let positioned = self.position_text().filter(|_| shared.is_none());
        let positioned = positioned.map(|position| Native::add_position(&text, position));
        let text = positioned.unwrap_or(text);
        if !has_address {
            return Some(EventFrame::new(&text));
        }
        Some(EventFrame::new(&Native::address_event(&text, group, &ids)))
    }

    /// Encodes the shared frame, if there is one.
    fn encode_shared<C: Emits<E>>(&self, session: &Session<C>) -> SharedFrame {
        let encoded = encode_frame::<C, E>(session, || session.consumer.shared_frame(self.event()));
        match encoded.map_err(|error| log_failure::<C, E>(&error)) {
            Ok(None) => SharedFrame::PerSubscriber,
            Err(()) => SharedFrame::Same(None),
            Ok(Some(text)) => SharedFrame::new(&text, self.group_name.as_deref(), self.position_text()),
        }
    }

    /// Returns the frame for a session with what it takes to authorize this event again, or `None` if it gets none.
    #[inline]
    pub(super) fn frame_and_handle<C: Emits<E>>(
        self: &Arc<Self>,
        session: &Session<C>,
        scope: &Scope<C::User>,
        path: DeliveryPath<'_>,
    ) -> Option<FrameAndHandle<Session<C>>>
    where
        E: Send + Sync + 'static,
    {
        Some((self.frame(session, scope, path)?, self.handle(session, path)))
    }

    /// Returns what it takes to authorize this event again.
    pub(crate) fn handle<C>(self: &Arc<Self>, session: &Session<C>, path: DeliveryPath<'_>) -> EventHandle<Session<C>>
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let coalescing_hash = || {
            session
                .consumer
                .coalescing_hash(self.event())
                .and_then(|key_hash| hash_coalescing_key(&(TypeId::of::<E>(), key_hash)))
        };
        // If hashing the key panics, the event is not coalesced.
        let coalescing_hash = self.coalescing_hash.get_or_init(|| catch_unwind(coalescing_hash).unwrap_or_default());
        EventHandle::new(self.clone(), path.into_owned(), *coalescing_hash)
    }
}

impl<C: Consumer + Emits<E>, E: Send + Sync + 'static> QueuedEvent<Session<C>> for Publication<E> {
    fn has_equal_key(&self, other: &(dyn QueuedEvent<Session<C>> + 'static)) -> bool {
        let other: &dyn Any = other;
        // If comparing the keys panics, neither event supersedes the other.
        other.downcast_ref::<Publication<E>>().is_some_and(|other| {
            catch_unwind(|| <C as Emits<E>>::has_equal_key(self.event(), other.event())).unwrap_or(false)
        })
    }

    fn settle<'s>(
        self: Arc<Self>,
        session: &'s Arc<Session<C>>,
        path: DeliveryPath<'s>,
        epoch: Epoch,
    ) -> BoxFuture<'s, EnqueueOutcome> {
        Box::pin(async move {
            let subject = (<C as Emits<E>>::NAME, <C as Emits<E>>::PERMISSION);
            let authorize = |subscriber: &Subscriber<'_, C::User>| {
                session.authorize_event(subscriber, &self).map(|may_see| if may_see { Ok(()) } else { Err(Refused) })
            };
            let enqueue = |scope: &Scope<C::User>, ()| {
                session.enqueue_deferred(path, epoch, || self.frame_and_handle(session, scope, path))
            };
            settle(session, epoch, subject, authorize, enqueue).await
        })
    }
}
