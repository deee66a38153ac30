//! A frame that the server sends of its own accord, among the events of a session. It needs no permission.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;

use super::delivery_path::{DeliveryPath, OwnedDeliveryPath};
use super::queued_event::{EventHandle, QueuedEvent};
use super::send_queue::EnqueueOutcome;
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::Epoch;
use crate::dialect::{Dialect, Native};
use crate::message::RequestId;
use crate::transport::EventFrame;

/// The name of the event by which a client learns that a subscription has ended. `macros/src/check/event.rs` refuses it as
/// the name of an `#[event]`.
const UNSUBSCRIBED: &str = "unsubscribed";

/// A frame to send.
struct Notice(EventFrame);

/// The payload of [`UNSUBSCRIBED`]. It names no reason, because a client learns none from a refusal.
#[derive(Serialize)]
struct Unsubscribed {
    status: u16,
}

impl<C: Consumer> Session<C> {
    /// Tells the client that the subscriptions of these ids have ended, after the events that are queued.
    pub(super) fn notify_unsubscribed(self: &Arc<Self>, group_name: Option<&str>, ids: &[RequestId]) {
        // A struct of one number always has a JSON form.
        let Ok(frame) = Native::encode_event(UNSUBSCRIBED, &Unsubscribed { status: 403 }) else { return };
        let notice = Arc::new(Notice(EventFrame::new(&Native::address_event(&frame, group_name, ids))));
        self.push_deferred(EventHandle::new(notice, OwnedDeliveryPath::Personal, None));
    }
}

impl<C: Consumer> QueuedEvent<Session<C>> for Notice {
    fn has_equal_key(&self, _: &(dyn QueuedEvent<Session<C>> + 'static)) -> bool {
        false
    }

    fn settle<'s>(
        self: Arc<Self>,
        session: &'s Arc<Session<C>>,
        _: DeliveryPath<'s>,
        epoch: Epoch,
    ) -> BoxFuture<'s, EnqueueOutcome> {
        let handle = EventHandle::new(self.clone(), OwnedDeliveryPath::Personal, None);
        Box::pin(async move { session.enqueue_in_progress(self.0.clone(), handle, epoch, 0, || Ok(0)) })
    }
}
