//! The event by which members of a group with `announce` learn that a user is a member, or is one no more.

use std::any::{Any, TypeId};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::task::yield_now;

use super::chunked_list::ChunkedList;
use super::coalescing_key::hash_coalescing_key;
use super::delivery::DeliveryOutcome;
use super::event::Subscriber;
use super::group::Group;
use super::member::Member;
use super::presence::may_see;
use super::presence_changes::PresenceChange;
use super::settlement::settle;
use crate::context::{Epoch, Handler};
use crate::dialect::{Dialect, Native};
use crate::panic::Contained;
use crate::session::PACER;
use crate::session::backpressure::Pacer;
use crate::session::delivery_path::DeliveryPath;
use crate::session::queued_event::{EventHandle, FrameAndHandle, QueuedEvent};
use crate::session::send_queue::EnqueueOutcome;
use crate::session::session::Session;
use crate::sync::atomic::Ordering;
use crate::transport::{EventFrame, FrameText};

/// The name of the event. `macros/src/check/event.rs` refuses it as the name of an `#[event]`.
const PRESENCE: &str = "presence";

/// A change with the members of the group at the time when its announcement begins.
pub(super) struct DueChange<G: Group> {
    pub(super) change: PresenceChange<G::Consumer>,
    pub(super) members: Arc<ChunkedList<Member<G::Consumer>>>,
}

/// A change as members see it, by the `presence` expression of the group.
struct Announcement<G: Group> {
    group: Arc<Contained<G>>,
    change: PresenceChange<G::Consumer>,
    /// The frame without the group's name and request ids.
    text: FrameText,
    /// The frame of members without subscriptions.
    frame: EventFrame,
    /// A newer announcement of the same user may replace this one.
    coalescing_hash: Option<u64>,
}

/// The payload of [`PRESENCE`].
#[derive(Serialize)]
struct Payload<'a> {
    user: &'a str,
    online: bool,
}

/// Announces the changes of one group, one after the other, until `next` returns none. Other tasks run in between, and readers
/// that had no chance to run are waited for, as for any publisher; meanwhile further changes replace those that wait.
pub(super) async fn announce_changes<G: Group>(
    group: Arc<Contained<G>>,
    name: Option<Arc<str>>,
    mut next: impl FnMut() -> Option<DueChange<G>>,
) {
    let pacer = Pacer::new();
    while let Some(DueChange { change, members }) = next() {
        let registry = change.scope.session.registry.clone();
        let Some(announcement) = Announcement::new(&group, name.as_deref(), change) else { continue };
        let mut refused = 0;
        for chunk in members.chunks() {
            PACER.sync_scope(pacer.clone(), || {
                let outcomes = chunk.iter().map(|member| announcement.deliver(member));
                refused += outcomes.filter(|outcome| *outcome == DeliveryOutcome::Refused).count();
            });
            yield_now().await;
        }
        registry.telemetry.record_publication(PRESENCE, members.len(), refused);
        if pacer.is_held() {
            pacer.ready().await;
        }
    }
}

impl<G: Group> Announcement<G> {
    fn new(
        group: &Arc<Contained<G>>,
        name: Option<&str>,
        change: PresenceChange<G::Consumer>,
    ) -> Option<Arc<Announcement<G>>> {
        // A payload of a string and a flag always has a JSON form.
        let text = Native::encode_event(PRESENCE, &Payload { user: &change.user_id, online: change.is_online }).ok()?;
        let frame = EventFrame::new(&Native::address_event(&text, name, &[]));
        let coalescing_hash = hash_coalescing_key(&(TypeId::of::<Announcement<G>>(), &change.user_id));
        Some(Arc::new(Announcement { group: group.clone(), change, text, frame, coalescing_hash }))
    }

    /// Delivers the announcement to a member that may see the user, unless it is the user's own connection, or defers it if
    /// grants must be loaded first or earlier events are deferred. Does not wait.
    fn deliver(self: &Arc<Self>, member: &Member<G::Consumer>) -> DeliveryOutcome {
        let Member { session, membership } = member;
        if session.user_id() == Some(&*self.change.user_id) {
            return DeliveryOutcome::Done;
        }
        // Read before the scope and `has_deferred`, for the reason given in `Session::fast_path_view`.
        let epoch = session.send_queue.epoch();
        let Some(scope) = session.scope() else { return DeliveryOutcome::Done };
        let path = DeliveryPath::Group(membership);
        // Evaluated before anything is queued, so that changes that the member may not see fill no queue.
        let outcome = match self.authorize(session, &Subscriber::new(&*scope)) {
            Some(false) => return DeliveryOutcome::Refused,
            // Events keep their order, so an event that follows a deferred one is deferred too.
            Some(true) if !session.has_deferred.load(Ordering::SeqCst) => {
                session.enqueue(path, epoch, || Some(self.frame_and_handle(path)))
            }
            Some(true) | None => EnqueueOutcome::Stale,
        };
        session.conclude(outcome, || self.handle(path))
    }

    /// Evaluates the expression for the user and one viewer. `None` if grants must be loaded first.
    fn authorize(
        &self,
        viewer: &Session<G::Consumer>,
        subscriber: &Subscriber<'_, <G::Consumer as Handler>::User>,
    ) -> Option<bool> {
        match self.change.scope.user() {
            Some(user) => may_see(&**self.group, viewer, subscriber, user),
            None => Some(false),
        }
    }

    /// Returns the frame for one member, and what it takes to authorize the announcement again.
    fn frame_and_handle(self: &Arc<Self>, path: DeliveryPath<'_>) -> FrameAndHandle<Session<G::Consumer>> {
        let ids = if path.shows_ids() { path.request_ids() } else { Vec::new() };
        let frame = if ids.is_empty() {
            self.frame.clone()
        } else {
            EventFrame::new(&Native::address_event(&self.text, path.group_name(), &ids))
        };
        (frame, self.handle(path))
    }

    fn handle(self: &Arc<Self>, path: DeliveryPath<'_>) -> EventHandle<Session<G::Consumer>> {
        EventHandle::new(self.clone(), path.into_owned(), self.coalescing_hash)
    }
}

impl<G: Group> QueuedEvent<Session<G::Consumer>> for Announcement<G> {
    fn has_equal_key(&self, other: &(dyn QueuedEvent<Session<G::Consumer>> + 'static)) -> bool {
        let other: &dyn Any = other;
        other.downcast_ref::<Announcement<G>>().is_some_and(|other| self.change.user_id == other.change.user_id)
    }

    fn settle<'s>(
        self: Arc<Self>,
        session: &'s Arc<Session<G::Consumer>>,
        path: DeliveryPath<'s>,
        epoch: Epoch,
    ) -> BoxFuture<'s, EnqueueOutcome> {
        Box::pin(async move {
            let Some(expression) = G::PRESENCE else { return EnqueueOutcome::Discarded };
            let authorize =
                |subscriber: &Subscriber<'_, <G::Consumer as Handler>::User>| self.authorize(session, subscriber);
            let enqueue = |_: &_| session.enqueue_deferred(path, epoch, || Some(self.frame_and_handle(path)));
            settle(session, epoch, (PRESENCE, expression), authorize, enqueue).await
        })
    }
}
