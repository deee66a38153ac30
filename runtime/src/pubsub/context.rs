//! Joining and leaving from an action, and joining from `#[connect]`. Publishing is in
//! [`publish_permit`](super::publish_permit).
//!
//! An action's joins, departures and publications are kept in its [`SideEffects`] until the action has succeeded, and are
//! discarded if it fails. Departures run first, then joins and publications. Events of a group that the action left are
//! delivered to its connection before the reply, and events of what it joined and published after the reply.

use super::group::Group;
use super::join_request::{join, session};
use crate::consumer::Consumer;
use crate::context::{ConnectContext, Context, Handler, SideEffect, SideEffects, User};
use crate::error::{Error, Result};
use crate::message::RequestId;
use crate::panic::Contained;
use crate::session::connections::Connections;

impl<U: User> Context<'_, U> {
    /// Joins a group if the group's permission holds for this connection.
    ///
    /// The join takes effect when the action has succeeded, and not at all if it fails. The group's events follow the reply.
    /// Joining a group twice is the same as joining it once.
    ///
    /// In [`#[authenticate]`](macro@crate::authenticate) this only records the group. Its permission is evaluated for the
    /// new user once the method has returned, and a refusal refuses the authentication.
    ///
    /// # Errors
    ///
    /// - The refusal of the group's permission: 403 `permission_denied` if it does not hold, or the error that it returned.
    /// - 409 `too_many_groups` if the connection is in [`Limits::max_groups`](crate::Limits::max_groups) groups.
    /// - 500 `internal_error` when called by [`Load`](crate::Load), or if this connection does not belong to the consumer of
    ///   the group.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the group is not joined.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Context, Event, Group, RequestId, Result, User, consumer};
    /// # struct Member;
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
    /// # #[derive(Event)]
    /// # struct Said(String);
    /// # #[derive(Clone, PartialEq, Eq, Hash, Group)]
    /// # #[group(consumer = Chat, permission = AllowAny, publish = members, events(Said))]
    /// # struct Room(u32);
    /// # struct Chat;
    /// # #[consumer(user = Member)]
    /// # impl Chat {
    /// #[action(permission = AllowAny)]
    /// async fn enter(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
    ///     cx.join(Room(room)).await
    /// }
    ///
    /// #[action(permission = AllowAny)]
    /// async fn exit(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
    ///     cx.leave(Room(room))
    /// }
    /// # #[event(permission = AllowAny)]
    /// # fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
    /// # }
    /// ```
    pub async fn join<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        join(self.action_call()?, group, None).await
    }

    /// Joins a group under the `request_id` of this message. Events of the group then carry the id in `request_ids`.
    ///
    /// A connection may subscribe to one group under up to 32 ids, and gets each event once, with all of them. Each counts
    /// as a group in [`Limits::max_groups`](crate::Limits::max_groups). The connection is a member until its last
    /// subscription has ended and it has left what it joined.
    ///
    /// # Errors
    ///
    /// As [`join`](Context::join), and:
    ///
    /// - 400 `missing_request_id` if the message has no `request_id`.
    /// - 409 `too_many_subscriptions` if the connection is subscribed to the group under 32 ids.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the subscription is not made.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Context, Event, Group, RequestId, Result, User, consumer};
    /// # struct Member;
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
    /// # #[derive(Event)]
    /// # struct Said(String);
    /// # #[derive(Clone, PartialEq, Eq, Hash, Group)]
    /// # #[group(consumer = Chat, permission = AllowAny, publish = members, events(Said))]
    /// # struct Room(u32);
    /// # struct Chat;
    /// # #[consumer(user = Member)]
    /// # impl Chat {
    /// #[action(permission = AllowAny)]
    /// async fn watch(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
    ///     cx.subscribe(Room(room)).await
    /// }
    ///
    /// #[action(permission = AllowAny)]
    /// async fn unwatch(&self, cx: &Context<'_, Member>, room: u32, subscription: RequestId) -> Result<()> {
    ///     cx.unsubscribe(Room(room), subscription)
    /// }
    /// # #[event(permission = AllowAny)]
    /// # fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
    /// # }
    /// ```
    pub async fn subscribe<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        let id = self.required_request_id()?;
        join(self.action_call()?, group, Some(id)).await
    }

    /// Returns the id of this message, which a subscription needs.
    pub(super) fn required_request_id(&self) -> Result<RequestId> {
        self.request_id().ok_or_else(|| {
            let status = http::StatusCode::BAD_REQUEST;
            Error::new(status, "missing_request_id", "A subscription needs a request_id.").with_field("request_id")
        })
    }

    /// Ends the subscription to a group under `id`; other subscriptions continue. Does nothing if there is no such
    /// subscription.
    ///
    /// No event that follows the reply of this action carries the id. If the action fails, the subscription continues. See
    /// [`subscribe`](Context::subscribe) for an example.
    ///
    /// # Errors
    ///
    /// 500 `internal_error` when called by [`Load`](crate::Load) or in `#[authenticate]`, or if this connection does not
    /// belong to the consumer of the group.
    pub fn unsubscribe<G: Group>(&self, group: G, id: RequestId) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        let call = self.action_call()?;
        let session = session::<G::Consumer, U>(call)?.clone();
        // Dropped outside of the lock: dropping the group's key may run the application's code.
        drop(call.with_side_effects(|effects| effects.remove_joins(&group, Some(&id))));
        let held_slots = usize::from(session.memberships.is_member(&group, Some(&id)));
        let (departure, departure_id) = (group.clone(), Some(id.clone()));
        let group = Contained::new(group);
        let effect = SideEffect::Leave(Box::new(move || session.memberships.release(&*group, Some(&id))));
        call.with_side_effects(|effects| {
            effects.depart(departure, departure_id, held_slots);
            effects.push(effect);
        });
        Ok(())
    }

    /// Leaves a group and ends all subscriptions to it.
    ///
    /// No event of the group follows the reply of this action. If the action fails, nothing changes. See
    /// [`join`](Context::join) for an example.
    ///
    /// # Errors
    ///
    /// 500 `internal_error` when called by [`Load`](crate::Load) or in `#[authenticate]`, or if this connection does not
    /// belong to the consumer of the group.
    pub fn leave<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        let call = self.action_call()?;
        let session = session::<G::Consumer, U>(call)?.clone();
        drop(call.with_side_effects(|effects| effects.remove_joins(&group, None)));
        let held_slots = session.memberships.slot_count(&group);
        let departure = group.clone();
        let group = Contained::new(group);
        let effect = SideEffect::Leave(Box::new(move || session.memberships.remove(&*group)));
        call.with_side_effects(|effects| {
            effects.depart(departure, None, held_slots);
            effects.push(effect);
        });
        Ok(())
    }

    /// Returns a handle by which this action reports that rights have changed: `cx.connections::<Chat>()`.
    ///
    /// If rights change while an action runs, the action is reauthorized before its reply is sent. Changes that the action
    /// makes by this handle are exempt: an action that leaves a room gets its reply.
    ///
    /// # Errors
    ///
    /// 500 `internal_error` when called by [`Load`](crate::Load) or in `#[authenticate]`, or if this connection does not
    /// belong to consumer `C`.
    pub fn connections<C: Consumer + Handler<User = U>>(&self) -> Result<Connections<C>> {
        let call = self.action_call()?;
        let session = session::<C, U>(call)?;
        Ok(Connections::for_action(session, call.with_side_effects(SideEffects::own_epochs_handle)))
    }
}

impl<U: User> ConnectContext<'_, U> {
    /// Joins a group if the group's permission holds for this connection. For `#[connect]`: the join takes effect when that
    /// method has succeeded.
    ///
    /// # Errors
    ///
    /// - The refusal of the group's permission: 403 `permission_denied` if it does not hold, or the error that it returned.
    /// - 409 `too_many_groups` if the connection is in [`Limits::max_groups`](crate::Limits::max_groups) groups.
    /// - 500 `internal_error` in a connect permission, or if this connection does not belong to the consumer of the group.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the group is not joined.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, ConnectContext, Event, Group, Result, User, consumer};
    /// # struct Member;
    /// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
    /// # #[derive(Clone, PartialEq, Eq, Hash, Group)]
    /// # #[group(consumer = Chat, permission = AllowAny, publish = members, events(Said))]
    /// # struct Lobby;
    /// # #[derive(Event)]
    /// # struct Said(String);
    /// # struct Chat;
    /// # #[consumer(user = Member)]
    /// # impl Chat {
    /// #[connect]
    /// async fn connected(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
    ///     cx.join(Lobby).await
    /// }
    /// # #[event(permission = AllowAny)]
    /// # fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
    /// # }
    /// ```
    pub async fn join<G: Group>(&self, group: G) -> Result<()>
    where
        G::Consumer: Handler<User = U>,
    {
        join(self.call(), group, None).await
    }
}
