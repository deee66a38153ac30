//! The event by which members of a group with `announce` learn that a user whom they may see has come or gone.

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
use super::member::{Member, MemberScope};
use super::presence::{HiddenMembers, may_see};
use super::presence_changes::PresenceChange;
use super::settlement::settle;
use crate::context::{Epoch, Handler};
use crate::dialect::{Dialect, Native};
use crate::panic::Contained;
use crate::permission::Refused;
use crate::session::PACER;
use crate::session::backpressure::Pacer;
use crate::session::delivery_path::DeliveryPath;
use crate::session::queued_event::{EventHandle, FrameAndHandle, QueuedEvent};
use crate::session::send_queue::EnqueueOutcome;
use crate::session::session::{Session, SessionRegistry};
use crate::sync::atomic::Ordering;
use crate::transport::{EventFrame, FrameText};

/// The name of the event. `macros/src/check/event.rs` refuses it as the name of an `#[event]`.
const PRESENCE: &str = "presence";

/// Changes with the members of the group at the time when their announcement begins.
pub(super) struct DueChanges<G: Group> {
    pub(super) changes: Vec<Arc<PresenceChange<G::Consumer>>>,
    pub(super) members: Arc<ChunkedList<Member<G::Consumer>>>,
}

/// A change as members see it, by the `presence` expression of the group.
struct Announcement<G: Group> {
    group: Arc<Contained<G>>,
    change: Arc<PresenceChange<G::Consumer>>,
    online: AnnouncedState,
    offline: AnnouncedState,
    /// For the send queue: a newer announcement of the same user may replace this one.
    queued_hash: Option<u64>,
    /// For deferred announcements, which the subscriber may turn out not to see: only a newer one with the same scopes may
    /// replace this one.
    deferred_hash: Option<u64>,
}

/// The frames that say whether a user is online.
struct AnnouncedState {
    /// The frame without the group's name and request ids.
    text: FrameText,
    /// The frame of members without subscriptions.
    frame: EventFrame,
}

/// What a viewer learns of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Online,
    Offline,
    /// The viewer has seen the user all the time.
    Unchanged,
}

/// The payload of [`PRESENCE`].
#[derive(Serialize)]
struct Payload<'a> {
    user: &'a str,
    online: bool,
}

/// Announces the changes of one group until `next` returns none, those that it returns together in one pass over the members.
/// Other tasks run in between, and readers that had no chance to run are waited for, as for any publisher; meanwhile further
/// changes of a user are added to the one that waits.
pub(super) async fn announce_changes<G: Group>(
    group: Arc<Contained<G>>,
    name: Option<Arc<str>>,
    registry: Arc<SessionRegistry<G::Consumer>>,
    mut next: impl FnMut() -> Option<DueChanges<G>>,
) {
    let pacer = Pacer::new();
    while let Some(DueChanges { changes, members }) = next() {
        let mut hidden = HiddenMembers::default();
        let announcements = changes.into_iter().filter_map(|change| Announcement::new(&group, name.as_deref(), change));
        let mut announcements: Vec<_> = announcements.map(|announcement| (announcement, 0)).collect();
        for chunk in members.chunks() {
            for (announcement, refused) in &mut announcements {
                PACER.sync_scope(pacer.clone(), || {
                    let outcomes = chunk.iter().map(|member| announcement.deliver(member, &mut hidden));
                    *refused += outcomes.filter(|outcome| *outcome == DeliveryOutcome::Refused).count();
                });
                if pacer.is_held() {
                    pacer.ready().await;
                }
            }
            yield_now().await;
        }
        for (_, refused) in announcements {
            registry.telemetry.record_publication(PRESENCE, members.len(), refused);
        }
        hidden.report::<G>(&registry.telemetry);
    }
}

impl AnnouncedState {
    fn new(user: &str, online: bool, name: Option<&str>) -> Option<AnnouncedState> {
        // A payload of a string and a flag always has a JSON form.
        let text = Native::encode_event(PRESENCE, &Payload { user, online }).ok()?;
        let frame = EventFrame::new(&Native::address_event(&text, name, &[]));
        Some(AnnouncedState { text, frame })
    }
}

impl<G: Group> Announcement<G> {
    fn new(
        group: &Arc<Contained<G>>,
        name: Option<&str>,
        change: Arc<PresenceChange<G::Consumer>>,
    ) -> Option<Arc<Announcement<G>>> {
        let [online, offline] = [true, false].map(|online| AnnouncedState::new(&change.user_id, online, name));
        let key = (TypeId::of::<Announcement<G>>(), &change.user_id);
        let mut scopes: Vec<_> = change.former.iter().chain(&change.current).map(MemberScope::address).collect();
        scopes.sort_unstable();
        let is_hidden = change.was_hidden || change.current.is_none();
        let (queued_hash, deferred_hash) = (hash_coalescing_key(&key), hash_coalescing_key(&(key, &scopes, is_hidden)));
        let (group, online, offline) = (group.clone(), online?, offline?);
        Some(Arc::new(Announcement { group, change, online, offline, queued_hash, deferred_hash }))
    }

    /// Delivers the announcement to a member that may see the change, unless it is the user's own connection, or defers it if
    /// grants must be loaded first or earlier events are deferred. Does not wait.
    fn deliver(self: &Arc<Self>, member: &Member<G::Consumer>, hidden: &mut HiddenMembers) -> DeliveryOutcome {
        let Member { session, membership } = member;
        if session.user_id() == Some(&*self.change.user_id) {
            return DeliveryOutcome::Done;
        }
        // Read before the scope and `has_deferred`, for the reason given in `Session::fast_path_view`.
        let epoch = session.send_queue.epoch();
        let Some(scope) = session.scope() else { return DeliveryOutcome::Done };
        let path = DeliveryPath::Group(membership);
        // Evaluated before anything is queued, so that changes that the member may not see fill no queue.
        let outcome = match self.authorize(session, &Subscriber::new(&*scope), hidden) {
            Some(Err(Refused)) => return DeliveryOutcome::Refused,
            Some(Ok(View::Unchanged)) => return DeliveryOutcome::Done,
            // Events keep their order, so an event that follows a deferred one is deferred too.
            Some(Ok(view)) if !session.has_deferred.load(Ordering::SeqCst) => {
                session.enqueue(path, epoch, || self.frame_and_handle(path, view))
            }
            Some(Ok(_)) | None => EnqueueOutcome::Stale,
        };
        session.conclude(outcome, || EventHandle::new(self.clone(), path.into_owned(), self.deferred_hash))
    }

    /// Evaluates the expression for the user, by each scope of the change, and one viewer. `None` if grants must be loaded
    /// first.
    ///
    /// # Errors
    ///
    /// `Refused` if the viewer has not seen the user and may not see it now.
    fn authorize(
        &self,
        viewer: &Session<G::Consumer>,
        subscriber: &Subscriber<'_, <G::Consumer as Handler>::User>,
        hidden: &mut HiddenMembers,
    ) -> Option<Result<View, Refused>> {
        let PresenceChange { former, was_hidden, current, .. } = &*self.change;
        let mut may_see = |user: Option<&_>| may_see(&**self.group, viewer, subscriber, user, hidden);
        let (mut was_seen, mut was_hidden) = (false, *was_hidden);
        for scope in former {
            *(if may_see(scope.former_user())? { &mut was_seen } else { &mut was_hidden }) = true;
            was_hidden |= scope.was_hidden();
        }
        let is_seen = may_see(current.as_ref().and_then(MemberScope::user))?;
        Some(match (is_seen, was_seen, was_hidden) {
            (true, _, true) => Ok(View::Online),
            (true, _, false) => Ok(View::Unchanged),
            (false, true, _) => Ok(View::Offline),
            (false, false, _) => Err(Refused),
        })
    }

    /// Returns the frame for one member, and what it takes to authorize the announcement again.
    fn frame_and_handle(
        self: &Arc<Self>,
        path: DeliveryPath<'_>,
        view: View,
    ) -> Option<FrameAndHandle<Session<G::Consumer>>> {
        let state = match view {
            View::Online => &self.online,
            View::Offline => &self.offline,
            View::Unchanged => return None,
        };
        let ids = if path.shows_ids() { path.request_ids() } else { Vec::new() };
        let frame = if ids.is_empty() {
            state.frame.clone()
        } else {
            EventFrame::new(&Native::address_event(&state.text, path.group_name(), &ids))
        };
        Some((frame, EventHandle::new(self.clone(), path.into_owned(), self.queued_hash)))
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
            let authorize = |subscriber: &Subscriber<'_, <G::Consumer as Handler>::User>| {
                let mut hidden = HiddenMembers::default();
                let view = self.authorize(session, subscriber, &mut hidden);
                hidden.report::<G>(&session.registry.telemetry);
                view
            };
            let enqueue = |_: &_, view| session.enqueue_deferred(path, epoch, || self.frame_and_handle(path, view));
            settle(session, epoch, (PRESENCE, expression), authorize, enqueue).await
        })
    }
}
