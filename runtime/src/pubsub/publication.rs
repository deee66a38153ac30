//! One event on its way to everybody who may see it: what is the same for all of them is made once.

use std::any::TypeId;
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::event::{Emits, Frame, Subscriber, event_key};
use crate::consumer::Consumer;
use crate::context::Scope;
use crate::dialect::native;
use crate::error::Result;
use crate::log::Cause;
use crate::panic::{Contained, catch_unwind};
use crate::session::delivery_path::DeliveryPath;
use crate::session::queued_event::{EventHandle, QueuedEvent};
use crate::session::send_queue::EnqueueOutcome;
use crate::session::session::Session;
use crate::transport::Text;

/// An event that was published.
pub(crate) struct Publication<E> {
    event: Contained<E>,
    /// What frames call the one group that it was published to.
    group_name: Option<Arc<str>>,
    /// Found out once somebody may see it.
    shared: OnceLock<SharedFrame>,
    /// What it is about, with its type. Found out once it waits for somebody.
    key: OnceLock<Option<u64>>,
}

/// Whether the frame is the same for everybody.
enum SharedFrame {
    PerSubscriber,
    /// Nothing where it could not be made.
    Same(Option<Text>),
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
        session: &Session<C>,
        scope: &Scope<C::User>,
        path: DeliveryPath<'_, C>,
    ) -> Option<Text> {
        let (frame, has_group_name) = match self.shared.get_or_init(|| self.encode_shared(session)) {
            SharedFrame::Same(frame) => (frame.clone()?, self.group_name.is_some()),
            SharedFrame::PerSubscriber => {
                match encode::<C, E>(session, || session.consumer.personal(scope, self.event())) {
                    FrameOutcome::Frame(Frame(frame)) => (frame, false),
                    FrameOutcome::NoFrame | FrameOutcome::Failed => return None,
                }
            }
        };
        let group = if has_group_name { None } else { path.group_name() };
        let ids = if path.shows_ids() { path.request_ids() } else { Vec::new() };
        if group.is_none() && ids.is_empty() {
            return Some(frame);
        }
        Some(native::event_for(&frame, group, &ids))
    }

    fn encode_shared<C: Emits<E>>(&self, session: &Session<C>) -> SharedFrame {
        match encode::<C, E>(session, || session.consumer.shared(self.event())) {
            FrameOutcome::NoFrame => SharedFrame::PerSubscriber,
            FrameOutcome::Failed => SharedFrame::Same(None),
            FrameOutcome::Frame(Frame(frame)) => SharedFrame::Same(Some(match &self.group_name {
                Some(name) => native::event_for(&frame, Some(name), &[]),
                None => frame,
            })),
        }
    }

    /// What it takes to ask about it once more.
    pub(crate) fn handle<C>(self: &Arc<Self>, session: &Session<C>, path: DeliveryPath<'_, C>) -> EventHandle<C>
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let key = || session.consumer.key(self.event()).and_then(|key| event_key(&(TypeId::of::<E>(), key)));
        // One whose key cannot be told stands for itself.
        let key = self.key.get_or_init(|| catch_unwind(key).unwrap_or_default());
        EventHandle::new(self.clone(), path.into_owned(), *key)
    }
}

enum FrameOutcome {
    NoFrame,
    Frame(Frame),
    Failed,
}

/// Makes a frame. What goes wrong concerns nobody but those who would have got it.
fn encode<C: Emits<E>, E>(session: &Session<C>, build_frame: impl FnOnce() -> Option<Result<Frame>>) -> FrameOutcome {
    match catch_unwind(build_frame) {
        Ok(None) => return FrameOutcome::NoFrame,
        Ok(Some(Ok(frame))) => return FrameOutcome::Frame(frame),
        Ok(Some(Err(error))) => {
            tracing::error!(event = <C as Emits<E>>::NAME, cause = ?Cause::new(&error), "event not sent: encoding failed");
        }
        Err(panic) => {
            tracing::error!(event = <C as Emits<E>>::NAME, cause = ?Cause::new(&panic.message()), "event not sent: `#[event]` method panicked");
        }
    }
    session.registry.counters.record_failure();
    FrameOutcome::Failed
}

impl<C: Consumer + Emits<E>, E: Send + Sync + 'static> QueuedEvent<C> for Publication<E> {
    fn settle<'s>(
        self: Arc<Self>,
        session: &'s Arc<Session<C>>,
        path: DeliveryPath<'s, C>,
        epoch: u64,
    ) -> BoxFuture<'s, EnqueueOutcome> {
        Box::pin(async move {
            let Some(scope) = session.scope() else { return EnqueueOutcome::Discarded };
            let mut subscriber = Subscriber::new(&*scope);
            let refuse = || {
                session.registry.counters.record_refusal();
                EnqueueOutcome::Discarded
            };
            loop {
                if session.send_queue.epoch() != epoch {
                    return EnqueueOutcome::Stale;
                }
                match session.authorize_event(&subscriber, &self) {
                    Some(true) => return session.enqueue_deferred(&scope, &self, path, epoch),
                    Some(false) => return refuse(),
                    None => {}
                }
                match timeout(session.check_timeout, subscriber.load()).await {
                    // What is known now may be forgotten by the time it is looked at; each round has waited for the source.
                    Ok(Ok(())) => continue,
                    Ok(Err(error)) => {
                        tracing::error!(event = <C as Emits<E>>::NAME, cause = ?Cause::new(&error), "event refused: grants could not be loaded");
                    }
                    Err(_) => tracing::error!(event = <C as Emits<E>>::NAME, "event refused: loading grants timed out"),
                }
                session.registry.counters.record_failure();
                return refuse();
            }
        })
    }
}
