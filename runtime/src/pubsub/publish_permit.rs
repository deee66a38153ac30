//! Publishing from an action, and the permit to publish, which holds until the action ends. Whether the caller may publish is
//! decided in [`publish_authorization`](super::publish_authorization).
//!
//! Publications are side effects of the action, as joins are: see [`context`](super::context).

use std::fmt;
use std::sync::Arc;

use super::encoding_check::check_key;
use super::event::Emits;
use super::event_type::DistributedEvent;
use super::group::{Carries, Group};
use super::join_request::session;
use super::outgoing_event::OutgoingEvent;
use super::publish_authorization::authorize_publishing;
use super::publisher::Publisher;
use crate::consumer::Consumer;
use crate::context::{Call, ConnectContext, Context, Handler, SideEffect, User};
use crate::error::Result;
use crate::panic::Contained;
use crate::session::session::Session;

/// Permission to publish to a group until the action ends. Returned by [`Context::publish_permit`].
///
/// Take the permit before storing anything: publishing with it does not wait and is not refused, so no change is stored whose
/// announcement is then refused. The permit stays valid if rights are revoked while the action runs. An event whose frame
/// cannot be encoded or exceeds [`Limits::max_event_bytes`](crate::Limits::max_event_bytes) is not sent, logged and counted.
///
/// # Examples
///
/// ```standalone_crate
/// # use portcullis::{AllowAny, Context, Event, Group, Result, User, consumer};
/// # struct Member;
/// # impl User for Member { fn id(&self) -> std::borrow::Cow<'_, str> { "7".into() } }
/// # #[derive(Event)]
/// # struct Said(String);
/// # #[derive(Clone, PartialEq, Eq, Hash, Group)]
/// # #[group(consumer = Chat, permission = AllowAny, publish = members, events(Said))]
/// # struct Room(u32);
/// # struct Store;
/// # impl Store { async fn insert(&self, _: u32, _: &str) -> Result<()> { Ok(()) } }
/// # struct Chat { store: Store }
/// # #[consumer(user = Member)]
/// # impl Chat {
/// #[action(permission = AllowAny)]
/// async fn say(&self, cx: &Context<'_, Member>, room: u32, text: String) -> Result<()> {
///     let room_permit = cx.publish_permit(Room(room)).await?;
///     self.store.insert(room, &text).await?;
///     room_permit.publish(Said(text));
///     Ok(())
/// }
/// # #[event(permission = AllowAny)]
/// # fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
/// # }
/// ```
#[must_use = "a permit publishes nothing by itself; call `publish` on it"]
pub struct PublishPermit<'c, G: Group> {
    call: &'c Call<'c, <G::Consumer as Handler>::User>,
    session: &'c Arc<Session<G::Consumer>>,
    group: G,
}

impl<G: Group> PublishPermit<'_, G> {
    /// Publishes an event to the group, as [`Context::publish`] does. May be called more than once.
    pub fn publish<E>(&self, event: E)
    where
        G: Carries<E>,
        E: Send + Sync + 'static,
    {
        let event = OutgoingEvent::new(&self.session.registry, event, G::HISTORY.is_some());
        let group = Contained::new(self.group.clone());
        push_effect(self.call, self.session, move |session| session.registry.publish(&*group, event, None));
    }

    /// Publishes an event to the group, as [`Context::publish_to_others`] does. May be called more than once.
    pub fn publish_to_others<E>(&self, event: E)
    where
        G: Carries<E>,
        E: Send + Sync + 'static,
    {
        let event = OutgoingEvent::new(&self.session.registry, event, G::HISTORY.is_some());
        let group = Contained::new(self.group.clone());
        push_effect(self.call, self.session, move |session| {
            session.registry.publish(&*group, event, Some(session.id));
        });
    }
}

impl<G: Group> fmt::Debug for PublishPermit<'_, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublishPermit").field(&G::NAME).finish()
    }
}

impl<U: User> Context<'_, U> {
    /// Publishes an event to a group if its `publish` expression holds for the caller: every member for which the event's
    /// permission holds receives it, this connection included.
    ///
    /// The event is published when the action has succeeded, and not at all if it fails. This connection receives it after
    /// the reply.
    ///
    /// The expression is evaluated before this returns, for the current user of the connection and on its current rights.
    /// With `publish = members`, the connection must be a member of the group, by a join or a subscription. A join of the
    /// same action counts, and after a departure of the same action the connection is no member. If rights have changed
    /// since the group's permission was evaluated for this connection, it is evaluated again.
    ///
    /// If the action stores something, take a [`publish_permit`](Context::publish_permit) before it does. In a `blocking`
    /// action, pass the future to `tokio::runtime::Handle::block_on`.
    ///
    /// All events of the action are published together, so awaiting this does not pace a loop: an action that publishes more
    /// events than send queues hold uses [`unchecked_publisher`](Context::unchecked_publisher) and
    /// [`Publisher::ready`](crate::Publisher::ready).
    ///
    /// # Errors
    ///
    /// - The refusal of the `publish` expression: 403 `permission_denied` if it does not hold, or the error that it
    ///   returned. The event is not published, even if the action handles the error and succeeds.
    /// - 413 `event_too_large` if the frame exceeds [`Limits::max_event_bytes`](crate::Limits::max_event_bytes), and 500
    ///   `internal_error` if it cannot be encoded. For a frame that is built per subscriber this is found at its delivery.
    ///   Also if the event itself exceeds 900 KiB, with a broker or a [history](crate::guide::events#history).
    /// - 503 `broker_unavailable` if the group keeps a history and the broker cannot be reached. If the link is lost after this
    ///   call, the event may be lost.
    /// - 500 `internal_error` when called by [`Load`](crate::Load) or in `#[authenticate]`, or if this connection does not
    ///   belong to the consumer of the group.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the event is not published.
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
    /// async fn say(&self, cx: &Context<'_, Member>, room: u32, text: String) -> Result<()> {
    ///     cx.publish(Room(room), Said(text)).await
    /// }
    ///
    /// #[action(permission = AllowAny)]
    /// async fn say_to_user(&self, cx: &Context<'_, Member>, user_id: String, text: String) -> Result<()> {
    ///     cx.publish_to_user::<Chat, _>(user_id, Said(text))
    /// }
    /// # #[event(permission = AllowAny)]
    /// # fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
    /// # }
    /// ```
    pub async fn publish<G, E>(&self, group: G, event: E) -> Result<()>
    where
        G: Carries<E>,
        G::Consumer: Handler<User = U>,
        E: Send + Sync + 'static,
    {
        let PublishPermit { call, session, group } = self.publish_permit(group).await?;
        let (group, event) = (Contained::new(group), OutgoingEvent::encode(session, event, G::HISTORY.is_some())?);
        push_effect(call, session, move |session| session.registry.publish(&*group, event, None));
        Ok(())
    }

    /// Publishes an event as [`publish`](Context::publish) does, but not to this connection.
    ///
    /// # Errors
    ///
    /// As [`publish`](Context::publish).
    ///
    /// # Cancel safety
    ///
    /// As [`publish`](Context::publish).
    pub async fn publish_to_others<G, E>(&self, group: G, event: E) -> Result<()>
    where
        G: Carries<E>,
        G::Consumer: Handler<User = U>,
        E: Send + Sync + 'static,
    {
        let PublishPermit { call, session, group } = self.publish_permit(group).await?;
        let (group, event) = (Contained::new(group), OutgoingEvent::encode(session, event, G::HISTORY.is_some())?);
        push_effect(call, session, move |session| session.registry.publish(&*group, event, Some(session.id)));
        Ok(())
    }

    /// Publishes an event as [`publish`](Context::publish) does, to several groups. A member of more than one of them
    /// receives it once, or once per group if the groups keep a [history](crate::guide::events#history), because it has a position in
    /// each.
    ///
    /// # Errors
    ///
    /// As [`publish`](Context::publish). The expression must hold for every group; otherwise the event is published to none.
    ///
    /// # Cancel safety
    ///
    /// As [`publish`](Context::publish).
    pub fn publish_to_several<G, E>(
        &self,
        groups: impl IntoIterator<Item = G>,
        event: E,
    ) -> impl Future<Output = Result<()>>
    where
        G: Carries<E>,
        G::Consumer: Handler<User = U>,
        E: Send + Sync + 'static,
    {
        // Collected first, so that the future does not contain the iterator.
        let groups: Contained<Vec<G>> = Contained::new(groups.into_iter().collect());
        async move {
            let call = self.action_call()?;
            let session = session::<G::Consumer, U>(call)?;
            authorize_publishing(call, session, &groups).await?;
            groups.iter().try_for_each(|group| check_key(&session.registry, group))?;
            session.registry.check_history::<G>()?;
            let event = OutgoingEvent::encode(session, event, G::HISTORY.is_some())?;
            push_effect(call, session, move |session| session.registry.publish_to_several(&groups, event));
            Ok(())
        }
    }

    /// Returns a permit to publish to a group if its `publish` expression holds for the caller, as for
    /// [`publish`](Context::publish).
    ///
    /// The permit holds until the action ends, so take it before storing anything. See [`PublishPermit`] for an example.
    ///
    /// # Errors
    ///
    /// As [`publish`](Context::publish).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn publish_permit<G: Group>(&self, group: G) -> Result<PublishPermit<'_, G>>
    where
        G::Consumer: Handler<User = U>,
    {
        let call = self.action_call()?;
        let session = session::<G::Consumer, U>(call)?;
        authorize_publishing(call, session, std::slice::from_ref(&group)).await?;
        check_key(&session.registry, &group)?;
        session.registry.check_history::<G>()?;
        Ok(PublishPermit { call, session, group })
    }

    /// Publishes an event to one user, by [`User::id`](crate::User::id), on all connections of this consumer's endpoint:
    /// `cx.publish_to_user::<Chat, _>("7", event)`. It is published at the same time as by [`publish`](Context::publish).
    ///
    /// Unchecked: no permission is evaluated for the caller. Guard it with the action's own permission.
    ///
    /// # Errors
    ///
    /// - 413 `event_too_large` and 500 `internal_error` as for [`publish`](Context::publish).
    /// - 500 `internal_error` when called by [`Load`](crate::Load) or in `#[authenticate]`, or if this connection does not
    ///   belong to consumer `C`.
    pub fn publish_to_user<C, E>(&self, user_id: impl Into<String>, event: E) -> Result<()>
    where
        C: Consumer + Handler<User = U> + Emits<E>,
        E: DistributedEvent,
    {
        let call = self.action_call()?;
        let (user_id, session) = (user_id.into(), session::<C, U>(call)?);
        let event = OutgoingEvent::encode(session, event, false)?;
        push_effect(call, session, move |session| session.registry.publish_to_user(&user_id, event));
        Ok(())
    }

    /// Returns a handle that publishes at once, whatever the outcome of this action: `cx.unchecked_publisher::<Chat>()`.
    ///
    /// Unchecked: as for a [`Publisher`] of the endpoint, no permission of the group is evaluated for the caller.
    ///
    /// # Errors
    ///
    /// 500 `internal_error` when called by [`Load`](crate::Load) or in `#[authenticate]`, or if this connection does not
    /// belong to consumer `C`.
    pub fn unchecked_publisher<C: Consumer + Handler<User = U>>(&self) -> Result<Publisher<C>> {
        Ok(Publisher::new(session::<C, U>(self.action_call()?)?.registry.clone()))
    }
}

impl<U: User> ConnectContext<'_, U> {
    /// Publishes an event to a group if its `publish` expression holds for this connection, as
    /// [`Context::publish`](crate::Context::publish) does. For `#[connect]`: the event is published when that method has
    /// succeeded, after its joins. With `publish = members`, a join of the same method counts.
    ///
    /// # Errors
    ///
    /// As [`Context::publish`](crate::Context::publish), and 500 `internal_error` in a connect permission.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the event is not published.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, ConnectContext, Event, Group, Result, consumer};
    /// # #[derive(Event)]
    /// # struct Arrived;
    /// # #[derive(Clone, PartialEq, Eq, Hash, Group)]
    /// # #[group(consumer = Chat, permission = AllowAny, publish = members, events(Arrived))]
    /// # struct Lobby;
    /// # struct Chat;
    /// # #[consumer]
    /// # impl Chat {
    /// #[connect]
    /// async fn on_connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
    ///     cx.join(Lobby).await?;
    ///     cx.publish(Lobby, Arrived).await
    /// }
    /// # #[action(permission = AllowAny)]
    /// # async fn ping(&self) {}
    /// # #[event(permission = AllowAny)]
    /// # fn arrived(&self, _: &Arrived) -> &'static str { "someone arrived" }
    /// # }
    /// ```
    pub async fn publish<G, E>(&self, group: G, event: E) -> Result<()>
    where
        G: Carries<E>,
        G::Consumer: Handler<User = U>,
        E: Send + Sync + 'static,
    {
        let call = self.call();
        let session = session::<G::Consumer, U>(call)?;
        authorize_publishing(call, session, std::slice::from_ref(&group)).await?;
        check_key(&session.registry, &group)?;
        session.registry.check_history::<G>()?;
        let (group, event) = (Contained::new(group), OutgoingEvent::encode(session, event, G::HISTORY.is_some())?);
        push_effect(call, session, move |session| session.registry.publish(&*group, event, None));
        Ok(())
    }
}

/// Runs an effect when the action has succeeded. Events that it causes on this connection follow the reply.
fn push_effect<C: Consumer, T>(
    call: &Call<'_, C::User>,
    session: &Arc<Session<C>>,
    effect: impl FnOnce(Arc<Session<C>>) -> T + Send + 'static,
) {
    let session = session.clone();
    let effect = SideEffect::Publish(Box::new(move || drop(effect(session))));
    call.with_side_effects(|effects| effects.push(effect));
}
