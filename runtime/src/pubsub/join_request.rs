//! Joining a group: the group's permission is evaluated, a group slot is reserved, and the request is kept until the action
//! has succeeded.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::encoding_check::check_key;
use super::group::Group;
use super::group_evaluation::{GroupAccess, authorize, authorize_scope, authorize_scope_within};
use super::group_hold::GroupHold;
use super::history_feed::{in_turn, log_of};
use super::new_user_joins::NewUserJoins;
use super::resume::Resume;
use crate::broker::LogId;
use crate::consumer::Consumer;
use crate::context::{Call, Epoch, Handler, Scope, SideEffect, SideEffects, User};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::message::RequestId;
use crate::panic::{Contained, catch_unwind, log_entry};
use crate::session::deferred::PendingRevalidation;
use crate::session::membership::GroupSlot;
use crate::session::session::Session;

/// The number of request ids under which a connection may subscribe to one group. Each event of the group carries all of
/// them.
const MAX_SUBSCRIPTIONS_PER_GROUP: usize = 32;

/// An authorized request to add a session to a group.
pub(crate) struct JoinRequest<G: Group> {
    pub(crate) group: Contained<G>,
    /// The public name of the group in frames.
    pub(crate) name: Option<Arc<str>>,
    /// The request id of the subscription, or `None` for a join.
    pub(crate) id: Option<RequestId>,
    /// The reserved group slot, or `None` if the session is a member already.
    pub(crate) slot: Option<GroupSlot>,
    /// The subscription to the events of other machines, for the first member here.
    pub(crate) hold: Option<GroupHold<G::Consumer>>,
    /// The log of the group, if it has a history.
    pub(crate) log: Option<LogId>,
}

/// Authorizes a join, or a subscription under `id`, and adds it to the side effects of the call.
pub(super) async fn join<G: Group, U: User>(call: &Call<'_, U>, group: G, id: Option<RequestId>) -> Result<()>
where
    G::Consumer: Handler<User = U>,
{
    if let Some(joins) =
        call.session().and_then(|session| (session as &dyn Any).downcast_ref::<NewUserJoins<G::Consumer>>())
    {
        joins.push(Box::new(|session, scope, effects| Box::pin(join_new_user(session, scope, effects, group, id))));
        return Ok(());
    }
    let session = session::<G::Consumer, U>(call)?;
    let evaluation_epoch = authorize(call, session, &group, GroupAccess::Join).await?;
    check_key(&session.registry, &group)?;
    if call.read_side_effects(|effects| effects.is_joining(&group, id.as_ref())) == Some(true) {
        return Ok(());
    }
    let is_leaving = call.read_side_effects(|effects| effects.is_leaving(&group, id.as_ref())) == Some(true);
    let is_member = session.memberships.is_member(&group, id.as_ref()) && !is_leaving;
    let freed_slots = call.read_side_effects(SideEffects::freed_slots).unwrap_or(0);
    // Also for a member: it may have left by the time that the join takes effect.
    let hold = session.registry.hold_group(&group).await?;
    let effect = join_effect(session, (group, hold), id, (is_member, freed_slots), evaluation_epoch, None)?;
    call.with_side_effects(|effects| effects.push(effect));
    Ok(())
}

/// Authorizes a join for a user whom the session does not have yet, and adds it to the side effects.
async fn join_new_user<G: Group>(
    session: &Arc<Session<G::Consumer>>,
    scope: &Scope<<G::Consumer as Handler>::User>,
    effects: &mut SideEffects,
    group: G,
    id: Option<RequestId>,
) -> Result<()> {
    // The epoch of the new user is a later one, so that the session is revalidated when the join takes effect.
    let evaluation_epoch = session.send_queue.epoch();
    authorize_scope(&group, &session.consumer, scope, GroupAccess::Join).await?;
    check_key(&session.registry, &group)?;
    if effects.is_joining(&group, id.as_ref()) {
        return Ok(());
    }
    let is_member = session.memberships.is_member(&group, id.as_ref());
    let hold = session.registry.hold_group(&group).await?;
    effects.push(join_effect(session, (group, hold), id, (is_member, 0), evaluation_epoch, None)?);
    Ok(())
}

/// Creates the side effect of an authorized join, or of a subscription under `id`, which replays events by `resume`.
/// `freed_slots` is the number of group slots that the action frees.
pub(super) fn join_effect<G: Group>(
    session: &Arc<Session<G::Consumer>>,
    (group, hold): (G, Option<GroupHold<G::Consumer>>),
    id: Option<RequestId>,
    (is_member, freed_slots): (bool, usize),
    evaluation_epoch: Epoch,
    resume: Option<Resume<G::Consumer>>,
) -> Result<SideEffect> {
    if id.is_some() && !is_member && session.memberships.slot_count(&group) >= MAX_SUBSCRIPTIONS_PER_GROUP {
        let detail = format!("A group is subscribed to under {MAX_SUBSCRIPTIONS_PER_GROUP} ids at most.");
        return Err(Error::new(http::StatusCode::CONFLICT, "too_many_subscriptions", detail));
    }
    let slot = if is_member { None } else { Some(session.memberships.reserve_slot(freed_slots)?) };
    let request = JoinRequest::new(group.clone(), id.clone(), slot, hold)?;
    let (session, undo_group, undo_id, undo_session) =
        (session.clone(), Contained::new(group.clone()), id.clone(), session.clone());
    let has_joined = Arc::new(AtomicBool::new(false));
    let undo_has_joined = has_joined.clone();
    let join_group = move || {
        session.join_group(request, evaluation_epoch, resume, |is_new| has_joined.store(is_new, Ordering::SeqCst));
    };
    let undo = move || {
        if undo_has_joined.load(Ordering::SeqCst) {
            undo_session.memberships.release(&*undo_group, undo_id.as_ref());
        }
    };
    Ok(SideEffect::Join {
        group: Contained::new(Box::new(group)),
        id,
        evaluation_epoch,
        effect: Box::new(join_group),
        undo: Box::new(undo),
    })
}

impl<G: Group> JoinRequest<G> {
    fn new(
        group: G,
        id: Option<RequestId>,
        slot: Option<GroupSlot>,
        hold: Option<GroupHold<G::Consumer>>,
    ) -> Result<JoinRequest<G>> {
        let name = catch_unwind(|| group.public_name());
        let name = name.map_err(|_| Error::internal(format!("the public name of `{}` panicked", G::NAME)))?;
        let log = log_of(&group)?;
        Ok(JoinRequest { group: Contained::new(group), name: name.map(Arc::from), id, slot, hold, log })
    }
}

/// Returns the session of the call, as a session of consumer `C`.
pub(super) fn session<'c, C: Consumer, U>(call: &Call<'c, U>) -> Result<&'c Arc<Session<C>>> {
    let session = call.session().ok_or_else(|| Error::internal("groups are unavailable during connect checks"))?;
    let any: &dyn Any = session;
    if any.is::<NewUserJoins<C>>() {
        return Err(Error::internal("`#[authenticate]` can join groups; leaving and publishing are for actions"));
    }
    any.downcast_ref().ok_or_else(|| {
        let (own, other) = (session.consumer_name(), C::NAME);
        let message = format!(
            "this connection belongs to consumer `{own}`, so it cannot use a group or an event of consumer `{other}`"
        );
        Error::internal(message)
    })
}

impl<C: Consumer> Session<C> {
    /// Joins a group whose permission has held in `evaluation_epoch`, and replays events by `resume`. `record` learns whether
    /// the membership was not held that way before. If the epoch has changed since, the session is revalidated, and its user is
    /// not listed before that.
    fn join_group<G: Group<Consumer = C>>(
        self: &Arc<Self>,
        request: JoinRequest<G>,
        evaluation_epoch: Epoch,
        mut resume: Option<Resume<C>>,
        record: impl FnOnce(bool),
    ) -> Option<PendingRevalidation> {
        let Some(log) = request.log else { return self.add_to_group(request, evaluation_epoch, record) };
        let history = self.registry.history();
        let group = Contained::new(G::clone(&request.group));
        // Not dropped under the lock, because that may run the application's code.
        let mut remaining = None;
        let pending = in_turn(|| {
            let mut feed = history.lock_feed(log.partition);
            let collected = resume.as_mut().and_then(|resume| feed.end_resume(&mut resume.handle));
            feed.record_join(log.name(), self.id);
            let pending = self.add_to_group(request, evaluation_epoch, record);
            if let Some((resume, mut collected)) = resume.as_mut().zip(collected) {
                // After a change of rights, the user may have been out of the group for some of the events, and `since` may be later.
                collected.is_incomplete |= pending.is_some();
                let entry = self.memberships.entry(&*group);
                resume.take_effect(&mut collected, self, entry.as_ref().map(|entry| entry.membership()));
                remaining = Some(collected);
            }
            pending
        });
        drop((remaining, resume));
        pending
    }

    fn add_to_group<G: Group<Consumer = C>>(
        self: &Arc<Self>,
        request: JoinRequest<G>,
        evaluation_epoch: Epoch,
        record: impl FnOnce(bool),
    ) -> Option<PendingRevalidation> {
        let listed_group = G::PRESENCE.map(|_| Contained::new(G::clone(&request.group)));
        let mut listed = None;
        let pending = self.join_at_epoch(evaluation_epoch, || {
            record(self.registry.add_member(self, request));
            // The scope that has passed the permission: no re-authentication replaces it before this ends.
            let entry = listed_group.as_ref().and_then(|group| self.memberships.entry(&**group));
            listed = entry.zip(self.scope());
        });
        if let (Some((entry, scope)), None) = (listed, &pending) {
            entry.add_user(scope, evaluation_epoch);
        }
        pending
    }

    /// Joins a group from outside of an action if the group's permission holds. Returns whether the session is a member
    /// then.
    pub(crate) async fn authorize_and_join<G: Group<Consumer = C>>(self: &Arc<Self>, group: G) -> bool {
        // Read first, so that a change after it makes the session revalidate.
        let evaluation_epoch = self.send_queue.epoch();
        let Some(scope) = self.scope() else { return false };
        let authorized = authorize_scope_within(self.check_timeout, &group, &self.consumer, &scope).await;
        let hold = match authorized {
            Ok(()) => self.registry.hold_group(&group).await,
            Err(error) => Err(error),
        };
        let slot = || {
            if self.memberships.is_member(&group, None) { Ok(None) } else { self.memberships.reserve_slot(0).map(Some) }
        };
        match hold.and_then(|hold| JoinRequest::new(group.clone(), None, slot()?, hold)) {
            Ok(request) => {
                if let Some(change) = self.join_group(request, evaluation_epoch, None, |_| ()) {
                    change.wait().await;
                }
                self.memberships.is_member(&group, None)
            }
            Err(error) => {
                let (user, leaf) = (self.user_id().map(Truncated::new), error.leaf());
                let cause = Cause::new(&error);
                if error.is_fault() {
                    log_entry!(ERROR, ?user, group = G::NAME, leaf, ?cause, "group join failed");
                } else {
                    log_entry!(INFO, ?user, group = G::NAME, leaf, ?cause, "group join refused");
                }
                false
            }
        }
    }
}
