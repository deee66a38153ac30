//! Publishing from outside of a connection's actions.

use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;

use super::encoding_check::check_key_or_panic;
use super::event::Emits;
use super::event_type::DistributedEvent;
use super::group::{Carries, Group};
use super::outgoing_event::OutgoingEvent;
use crate::consumer::Consumer;
use crate::session::counters::EventCounters;
use crate::session::session::SessionRegistry;

/// A handle that publishes to the groups of an endpoint and changes their members, from anywhere: an HTTP handler or a
/// background task. Returned by [`Endpoint::publisher`](crate::Endpoint::publisher). Cloning returns another handle.
///
/// Publishing takes effect at once and does not wait. It is unchecked: the server publishes, so the `publish` expressions of
/// groups are not evaluated. As for an event published by an action, each member receives it only if the event's permission
/// holds. An event whose frame cannot be encoded or exceeds [`Limits::max_event_bytes`](crate::Limits::max_event_bytes) is not
/// sent, logged and counted in [`EventCounters`].
///
/// # Panics
///
/// With the feature `testing`, its methods panic if an in-process client is connected and an event or a key changes on the way
/// to another machine.
///
/// # Examples
///
/// ```standalone_crate
/// # use portcullis::{AllowAny, Event, Group, Publisher, User, consumer};
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
/// #     #[event(permission = AllowAny)]
/// #     fn said<'e>(&self, event: &'e Said) -> &'e str { &event.0 }
/// # }
/// # async fn announce() {
/// let chat = portcullis::websocket(Chat);
/// let publisher: Publisher<Chat> = chat.publisher();
/// publisher.join("7", Room(5)).await;
/// publisher.publish(&Room(5), Said("The server restarts at ten.".to_owned()));
/// publisher.publish_to_several(&[Room(5), Room(6)], Said("Hello.".to_owned()));
/// publisher.publish_to_user("7", Said("Welcome.".to_owned()));
/// publisher.leave("7", &Room(5));
/// # }
/// ```
pub struct Publisher<C: Consumer>(Arc<SessionRegistry<C>>);

impl<C: Consumer> Publisher<C> {
    pub(crate) fn new(registry: Arc<SessionRegistry<C>>) -> Publisher<C> {
        Publisher(registry)
    }

    /// Publishes an event to every member of a group.
    pub fn publish<G, E>(&self, group: &G, event: E)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        check_key_or_panic(&self.0, group);
        self.0.publish(group, OutgoingEvent::new(&self.0, event), None);
    }

    /// Publishes an event to every member of several groups. A member of more than one of them receives it once.
    pub fn publish_to_several<G, E>(&self, groups: &[G], event: E)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        for group in groups {
            check_key_or_panic(&self.0, group);
        }
        self.0.publish_to_several(groups, OutgoingEvent::new(&self.0, event));
    }

    /// Publishes an event to one user, by [`User::id`](crate::User::id), on all connections.
    pub fn publish_to_user<E>(&self, user_id: &str, event: E)
    where
        C: Emits<E>,
        E: DistributedEvent,
    {
        self.0.publish_to_user(user_id, OutgoingEvent::new(&self.0, event));
    }

    /// Joins every connection of a user, by [`User::id`](crate::User::id), to a group, if the group's permission holds for
    /// it. Returns the number of connections that are members then; refusals are logged.
    ///
    /// Connections that the user opens later are not joined: join those in `#[connect]`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, some of the connections may have joined, and stay members.
    pub async fn join<G: Group<Consumer = C>>(&self, user_id: &str, group: G) -> usize {
        check_key_or_panic(&self.0, &group);
        let sessions = self.0.sessions_of_user(user_id);
        let joined = join_all(sessions.iter().map(|session| session.authorize_and_join(group.clone()))).await;
        joined.into_iter().filter(|joined| *joined).count()
    }

    /// Removes every connection of a user, by [`User::id`](crate::User::id), from a group, at once.
    pub fn leave<G: Group<Consumer = C>>(&self, user_id: &str, group: &G) {
        for session in self.0.sessions_of_user(user_id) {
            session.memberships.remove(group);
        }
    }

    /// Returns the event counters of the endpoint.
    pub fn counters(&self) -> EventCounters {
        self.0.counters.snapshot()
    }
}

impl<C: Consumer> Clone for Publisher<C> {
    fn clone(&self) -> Self {
        Publisher(self.0.clone())
    }
}

impl<C: Consumer> fmt::Debug for Publisher<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Publisher").field(&C::NAME).finish()
    }
}
