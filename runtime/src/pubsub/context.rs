//! Joining, leaving and publishing from an action, and joining from `#[connect]`.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use super::event::Emits;
use super::group::{Carries, Group};
use super::group_table::JoinRequest;
use super::publisher::Publisher;
use crate::consumer::Consumer;
use crate::context::{Call, ConnectContext, Context, Handler, User};
use crate::context::{SideEffect, SideEffects};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::message::RequestId;
use crate::panic::{Contained, catch_unwind};
use crate::session::connections::Connections;
use crate::session::memberships::GroupSlot;
use crate::session::revalidator::within_deadline;
use crate::session::session::Session;

/// How many ids a connection may subscribe to one group under: each event of it carries them all.
const MAX_SUBSCRIPTIONS_PER_GROUP: usize = 32;

impl<U: User> Context<'_, U> {
    /// Joins a group, if its permission lets this connection in; else its refusal. 409 where the connection is in more
    /// groups than [`Limits::max_groups`](crate::Limits::max_groups) allows.
    ///
    /// It takes effect when the action has ended well and its reply is on its way, and not at all after an error.
    pub async fn join<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        join(self.acting()?, group, None).await
    }

    /// Joins a group under the `request_id` of this message, which events of the group then carry in `request_ids`. 400
    /// where the message has none; else as [`join`](Context::join).
    ///
    /// A connection may subscribe to one group under up to 32 ids, and gets each event once, with all of them. Each counts as
    /// a group in [`Limits::max_groups`](crate::Limits::max_groups). It is a member for as long as one of them is left, or it has
    /// also joined.
    pub async fn subscribe<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        let missing_id = || {
            let status = http::StatusCode::BAD_REQUEST;
            Error::new(status, "missing_request_id", "A subscription needs a request_id.").with_field("request_id")
        };
        let id = self.request_id().ok_or_else(missing_id)?;
        join(self.acting()?, group, Some(id)).await
    }

    /// Ends the subscription to a group under that id; others stay. After the reply of this action no event carries it.
    /// Nothing happens where there is none, and after an error of the action.
    pub fn unsubscribe<G: Group>(&self, group: G, id: RequestId) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        let call = self.acting()?;
        let session = session::<G::Consumer, U>(call)?.clone();
        // Dropped outside of the lock: the group's key may run the application's code.
        drop(call.with_side_effects(|effects| effects.remove_joins(&group, Some(&id))));
        let held_slots = usize::from(session.is_member(&group, Some(&id)));
        call.with_side_effects(|effects| effects.depart(group.clone(), Some(id.clone()), held_slots));
        let group = Contained::new(group);
        let effect = SideEffect::Before(Box::new(move || session.release(&*group, Some(&id))));
        call.with_side_effects(|effects| effects.push(effect));
        Ok(())
    }

    /// Leaves a group, with all that was subscribed to it. After the reply of this action no event of it follows; after an
    /// error nothing has changed.
    pub fn leave<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        let call = self.acting()?;
        let session = session::<G::Consumer, U>(call)?.clone();
        drop(call.with_side_effects(|effects| effects.remove_joins(&group, None)));
        let held_slots = session.slot_count(&group);
        call.with_side_effects(|effects| effects.depart(group.clone(), None, held_slots));
        let group = Contained::new(group);
        let effect = SideEffect::Before(Box::new(move || session.remove_membership(&*group)));
        call.with_side_effects(|effects| effects.push(effect));
        Ok(())
    }

    /// Publishes an event to a group: each member gets it whom the event's permission lets see it, this connection among
    /// them.
    ///
    /// It goes out when the action has ended well and its reply is on its way, and not at all after an error.
    ///
    /// The group's permission is not evaluated for the publisher: guard publishing with the action's own permission.
    pub fn publish<G, E>(&self, group: G, event: E) -> Result<()>
    where
        G: Carries<E>,
        G::Consumer: Handler<User = U> + Emits<E>,
        E: Send + Sync + 'static,
    {
        let (group, event) = (Contained::new(group), Contained::new(event));
        self.push_effect(move |session: Arc<Session<G::Consumer>>| session.registry.publish(&*group, event, None))
    }

    /// The same to everybody but this connection.
    pub fn publish_to_others<G, E>(&self, group: G, event: E) -> Result<()>
    where
        G: Carries<E>,
        G::Consumer: Handler<User = U> + Emits<E>,
        E: Send + Sync + 'static,
    {
        let (group, event) = (Contained::new(group), Contained::new(event));
        self.push_effect(move |session: Arc<Session<G::Consumer>>| {
            session.registry.publish(&*group, event, Some(session.id));
        })
    }

    /// The same to several groups. Who is in more than one of them gets it once.
    pub fn publish_to_several<G, E>(&self, groups: impl IntoIterator<Item = G>, event: E) -> Result<()>
    where
        G: Carries<E>,
        G::Consumer: Handler<User = U> + Emits<E>,
        E: Send + Sync + 'static,
    {
        let groups: Contained<Vec<G>> = Contained::new(groups.into_iter().collect());
        let event = Contained::new(event);
        self.push_effect(move |session: Arc<Session<G::Consumer>>| session.registry.publish_to_several(&groups, event))
    }

    /// The same to one user, by [`User::id`](crate::User::id), on all sockets of this consumer's endpoint:
    /// `cx.publish_to_user::<Chat, _>("7", event)`.
    pub fn publish_to_user<C, E>(&self, user_id: impl Into<String>, event: E) -> Result<()>
    where
        C: Consumer + Handler<User = U> + Emits<E>,
        E: Send + Sync + 'static,
    {
        let (user_id, event) = (user_id.into(), Contained::new(event));
        self.push_effect(move |session: Arc<Session<C>>| session.registry.publish_to_user(&user_id, event))
    }

    /// This happens once the action has ended well and its reply is on its way.
    fn push_effect<C: Consumer>(&self, effect: impl FnOnce(Arc<Session<C>>) + Send + 'static) -> Result<()> {
        let call = self.acting()?;
        let session = session::<C, U>(call)?.clone();
        let effect = SideEffect::After(Box::new(move || effect(session)));
        call.with_side_effects(|effects| effects.push(effect));
        Ok(())
    }

    /// Publishes at once, whatever becomes of this action: `cx.publisher::<Chat>()`. A fault where this connection is not
    /// one of that consumer's.
    pub fn publisher<C: Consumer + Handler<User = U>>(&self) -> Result<Publisher<C>> {
        Ok(Publisher::new(session::<C, U>(self.acting()?)?.registry.clone()))
    }

    /// Tells connections that somebody may do more or less than before, in the middle of this action:
    /// `cx.connections::<Chat>()`. A fault where this connection is not one of that consumer's.
    ///
    /// When rights change while an action runs, it is asked again whether it may, before its reply goes out. What an action
    /// changes by this handle is its own doing, and not asked about: who leaves a room by it is answered.
    pub fn connections<C: Consumer + Handler<User = U>>(&self) -> Result<Connections<C>> {
        let call = self.acting()?;
        let session = session::<C, U>(call)?;
        Ok(Connections::for_action(session, call.with_side_effects(SideEffects::own_epochs_handle)))
    }
}

impl<U: User> ConnectContext<'_, U> {
    /// Joins a group, if its permission lets this connection in; else its refusal. For `#[connect]`: it takes effect when
    /// that has ended well.
    pub async fn join<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        join(self.call(), group, None).await
    }
}

async fn join<G: Group, U: User>(call: &Call<'_, U>, group: G, id: Option<RequestId>) -> Result<()>
where
    G::Consumer: Handler<User = U>,
{
    let session = session::<G::Consumer, U>(call)?;
    let evaluation_epoch = session.send_queue.epoch();
    match session.scope().filter(|current| !std::ptr::eq(&raw const **current, call.scope())) {
        // Whoever sits there now is asked: the action has begun for somebody whose credentials were others.
        Some(current) => {
            let head = ConnectContext::<U>::head();
            group.may_join(&session.consumer, &Call::new(&current, &head, &[], &[], &[])).await?;
        }
        None => group.may_join(&session.consumer, call).await?,
    }
    if call.read_side_effects(|effects| effects.is_joining(&group, id.as_ref())) == Some(true) {
        return Ok(());
    }
    let is_leaving = call.read_side_effects(|effects| effects.is_leaving(&group, id.as_ref())) == Some(true);
    let is_member = session.is_member(&group, id.as_ref()) && !is_leaving;
    if id.is_some() && !is_member && session.slot_count(&group) >= MAX_SUBSCRIPTIONS_PER_GROUP {
        let detail = format!("A group is subscribed to under {MAX_SUBSCRIPTIONS_PER_GROUP} ids at most.");
        return Err(Error::new(http::StatusCode::CONFLICT, "too_many_subscriptions", detail));
    }
    let slot = if is_member {
        None
    } else {
        Some(session.reserve_slot(call.read_side_effects(SideEffects::freed_slots).unwrap_or(0))?)
    };
    let request = join_request(group.clone(), id.clone(), slot)?;
    let (session, undo_group, undo_id, undo_session) =
        (session.clone(), Contained::new(group.clone()), id.clone(), session.clone());
    let has_joined = Arc::new(AtomicBool::new(false));
    let undo_has_joined = has_joined.clone();
    let enter_group = move || {
        session.join_at_epoch(evaluation_epoch, || {
            has_joined.store(session.registry.add_member(&session, request), Ordering::SeqCst);
        });
    };
    let undo = move || {
        if undo_has_joined.load(Ordering::SeqCst) {
            undo_session.release(&*undo_group, undo_id.as_ref());
        }
    };
    let effect = SideEffect::Join {
        group: Contained::new(Box::new(group)),
        id,
        effect: Box::new(enter_group),
        undo: Box::new(undo),
    };
    call.with_side_effects(|effects| effects.push(effect));
    Ok(())
}

/// A connection that is to be let into a group.
pub(crate) fn join_request<G: Group>(
    group: G,
    id: Option<RequestId>,
    slot: Option<GroupSlot<G::Consumer>>,
) -> Result<JoinRequest<G>> {
    let name = catch_unwind(|| group.public_name());
    let name = name.map_err(|_| Error::internal(format!("the public name of `{}` panicked", G::NAME)))?;
    Ok(JoinRequest { group: Contained::new(group), name: name.map(Arc::from), id, slot })
}

/// The connection's seat among those of the consumer.
fn session<'c, C: Consumer, U>(call: &Call<'c, U>) -> Result<&'c Arc<Session<C>>> {
    let session = call.session().ok_or_else(|| Error::internal("neither the door nor `#[authenticate]` has groups"))?;
    <dyn Any>::downcast_ref(session).ok_or_else(|| Error::internal(format!("the connection is none of `{}`", C::NAME)))
}

impl<C: Consumer> Session<C> {
    /// Lets it into a group from outside, if the group's permission does. Whether it is in it then.
    pub(crate) async fn authorize_and_join<G: Group<Consumer = C>>(self: &Arc<Self>, group: G) -> bool {
        // First of all, so that what changes after it is asked about again.
        let evaluation_epoch = self.send_queue.epoch();
        let Some(scope) = self.scope() else { return false };
        let head = ConnectContext::<C::User>::head();
        let call = Call::new(&scope, &head, &[], &[], &[]);
        let authorized =
            within_deadline(Instant::now() + self.check_timeout, group.may_join(&self.consumer, &call)).await;
        let slot = || if self.is_member(&group, None) { Ok(None) } else { self.reserve_slot(0).map(Some) };
        match authorized.and_then(|()| join_request(group.clone(), None, slot()?)) {
            Ok(request) => {
                let enter_group = || _ = self.registry.add_member(self, request);
                if let Some(change) = self.join_at_epoch(evaluation_epoch, enter_group) {
                    change.wait().await;
                }
                self.is_member(&group, None)
            }
            Err(error) => {
                tracing::info!(user = ?self.user_id().map(Truncated::words), group = G::NAME, cause = ?Cause::new(&error), "group join refused");
                false
            }
        }
    }
}
