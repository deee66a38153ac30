//! The event by which members of a group with `announce` learn that a user has come or gone.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;

use super::event::Subscriber;
use super::group::Group;
use super::roster::PresenceChange;
use super::settlement::settle;
use crate::context::{Epoch, Handler};
use crate::dialect::{Dialect, Native};
use crate::log::{Cause, Truncated};
use crate::panic::{Contained, catch_unwind};
use crate::session::backpressure::Pacer;
use crate::session::delivery_path::{DeliveryPath, OwnedDeliveryPath};
use crate::session::membership::Membership;
use crate::session::queued_event::{EventHandle, QueuedEvent};
use crate::session::send_queue::EnqueueOutcome;
use crate::session::session::Session;
use crate::transport::{EventFrame, FrameText};

/// The name of the event. `macros/src/check/event.rs` refuses it as the name of an `#[event]`.
const PRESENCE: &str = "presence";

/// A user who has come to a group or left it. Members see it by the `presence` expression of the group.
struct Announcement<G: Group> {
    group: Contained<G>,
    change: PresenceChange<G::Consumer>,
    /// The frame without the group's name and request ids.
    text: FrameText,
}

/// The payload of [`PRESENCE`].
#[derive(Serialize)]
struct Payload<'a> {
    user: &'a str,
    online: bool,
}

/// Sends a change to the members of its group that may see the user, except to the user's own connections.
pub(super) fn announce<'m, G: Group>(
    group: &G,
    change: PresenceChange<G::Consumer>,
    members: impl Iterator<Item = (&'m Arc<Session<G::Consumer>>, &'m Arc<Membership>)>,
) {
    // A payload of a string and a flag always has a JSON form.
    let Ok(text) = Native::encode_event(PRESENCE, &Payload { user: &change.user_id, online: change.is_online }) else {
        return;
    };
    let announcement = Arc::new(Announcement { group: Contained::new(group.clone()), change, text });
    let mut count = 0;
    for (session, membership) in members {
        count += 1;
        let (user_id, receiver) = (&announcement.change.user_id, announcement.change.receiver);
        let is_own = session.user_id() == Some(&**user_id);
        if !is_own && receiver.is_none_or(|receiver| receiver == session.id) {
            // Evaluated by the task that has all that a deferred event needs: users come and go rarely.
            session.push_deferred(announcement.handle(membership));
        }
    }
    Pacer::record_deliveries_of_connection(count);
}

impl<G: Group> Announcement<G> {
    fn handle(self: &Arc<Self>, membership: &Arc<Membership>) -> EventHandle<Session<G::Consumer>> {
        EventHandle::new(self.clone(), OwnedDeliveryPath::Group(membership.clone()), None)
    }

    /// Evaluates the expression for the member and one viewer. `None` if grants must be loaded first.
    fn authorize(
        &self,
        viewer: &Session<G::Consumer>,
        subscriber: &Subscriber<'_, <G::Consumer as Handler>::User>,
    ) -> Option<bool> {
        may_see(&*self.group, viewer, subscriber, &self.change.session)
    }

    /// Encodes the frame for one session and enqueues it, again if what it shows of the membership changes meanwhile.
    fn enqueue(
        self: &Arc<Self>,
        session: &Arc<Session<G::Consumer>>,
        path: DeliveryPath<'_>,
        epoch: Epoch,
    ) -> EnqueueOutcome {
        loop {
            let outcome = match path.version() {
                Ok(version) => {
                    let ids = if path.shows_ids() { path.request_ids() } else { Vec::new() };
                    let frame = EventFrame::new(&Native::address_event(&self.text, path.group_name(), &ids));
                    let handle = EventHandle::new(self.clone(), path.into_owned(), None);
                    session.enqueue_in_progress(frame, handle, epoch, version, || path.version())
                }
                Err(outcome) => outcome,
            };
            match outcome {
                EnqueueOutcome::PathChanged => {}
                EnqueueOutcome::Unverified => {
                    session.hold_in_progress(path, epoch);
                    return outcome;
                }
                outcome => return outcome,
            }
        }
    }
}

impl<G: Group> QueuedEvent<Session<G::Consumer>> for Announcement<G> {
    fn has_equal_key(&self, _: &(dyn QueuedEvent<Session<G::Consumer>> + 'static)) -> bool {
        false
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
            let enqueue = |_: &_| self.enqueue(session, path, epoch);
            settle(session, epoch, (PRESENCE, expression), authorize, enqueue).await
        })
    }
}

/// Evaluates the `presence` expression of a group for one member, by one of the member's connections. `None` if grants must be
/// loaded first. A panic hides the member.
pub(super) fn may_see<G: Group>(
    group: &G,
    viewer: &Session<G::Consumer>,
    subscriber: &Subscriber<'_, <G::Consumer as Handler>::User>,
    member: &Session<G::Consumer>,
) -> Option<bool> {
    let scope = member.scope();
    let Some(user) = scope.as_deref().and_then(|scope| scope.user()) else { return Some(false) };
    catch_unwind(|| group.may_see_member(&viewer.consumer, subscriber, user)).unwrap_or_else(|panic| {
        let (user, cause) = (viewer.user_id().map(Truncated::new), Cause::new(&panic.message()));
        tracing::error!(?user, group = G::NAME, ?cause, "member hidden: `presence` expression panicked");
        Some(false)
    })
}
