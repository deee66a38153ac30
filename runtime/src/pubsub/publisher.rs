//! Publishing from outside of a connection's actions.

use std::fmt;
use std::sync::{Arc, OnceLock};

use futures_util::future::join_all;

use super::encoding_check::check_key_or_panic;
use super::event::Emits;
use super::event_type::DistributedEvent;
use super::group::{Carries, Group, KeepsHistory};
use super::history_feed::log_of;
use super::outgoing_event::OutgoingEvent;
use crate::consumer::Consumer;
use crate::error::Result;
use crate::observe::EventCounters;
use crate::session::backpressure::{HANDLE_PACER, Pacer};
use crate::session::flusher::notify_now;
use crate::session::session::SessionRegistry;

/// A handle that publishes to the groups of an endpoint and changes their members, from anywhere: an HTTP handler or a
/// background task. Returned by [`Endpoint::publisher`](crate::Endpoint::publisher). Cloning returns another handle.
///
/// Publishing takes effect at once and does not wait. Exception: with a broker, an event for a group with a
/// [history](crate::guide::events#history) is delivered when it is back from the broker, and is dropped and logged while that
/// cannot be reached. Code that publishes many events in a row calls [`ready`](Publisher::ready) before each. Publishing is
/// unchecked: the server publishes, so the `publish` expressions of groups are not evaluated. As for an event published by an
/// action, each member receives it only if the event's permission holds. An event whose frame cannot be encoded or exceeds
/// [`Limits::max_event_bytes`](crate::Limits::max_event_bytes) is not sent, logged and counted in [`EventCounters`].
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
pub struct Publisher<C: Consumer> {
    registry: Arc<SessionRegistry<C>>,
    /// Created by the first call of `ready`, so that a handle that never waits for readers pays nothing for it.
    pacer: OnceLock<Arc<Pacer>>,
}

impl<C: Consumer> Publisher<C> {
    pub(crate) fn new(registry: Arc<SessionRegistry<C>>) -> Publisher<C> {
        Publisher { registry, pacer: OnceLock::new() }
    }

    /// Waits until the connections that had no chance to run since this handle published to them have run.
    ///
    /// A loop that awaits `ready` before each publication closes no connection whose client reads its events as fast as they
    /// are published, and drops none of its events, whatever the number of members and the
    /// [`OverflowPolicy`](crate::OverflowPolicy). Without it, the loop may publish more events than a send queue holds before
    /// the tasks of the members run at all. The [events chapter](crate::guide::events#slow-clients) has the details.
    ///
    /// Returns at once unless a publication by this handle has left the send queue of such a connection more than half full,
    /// by [`Limits::max_queued_events`](crate::Limits::max_queued_events) or
    /// [`Limits::max_queued_bytes`](crate::Limits::max_queued_bytes). It waits for at most 100 ms per call, and never for a
    /// connection whose client does not read: the overflow policy applies to that one. It also lets other tasks run from
    /// time to time, so that such a loop occupies no thread of the runtime.
    ///
    /// It does not wait for events that the broker passes back to this machine, those of groups with a history.
    ///
    /// Each handle waits for what it has published itself since its first call of `ready`; a clone is another handle. Tasks
    /// that share a handle by reference wait for the publications of all of them.
    ///
    /// In an action, use [`Context::unchecked_publisher`](crate::Context::unchecked_publisher): the publications of
    /// [`Context::publish`](crate::Context::publish) are not sent before the action has succeeded.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect. A later call waits for the same connections.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Event, Group, Publisher, consumer};
    /// # #[derive(Event)]
    /// # struct Price(u32);
    /// # #[derive(Clone, PartialEq, Eq, Hash, Group)]
    /// # #[group(consumer = Market, permission = AllowAny, publish = members, events(Price))]
    /// # struct Ticker;
    /// # struct Market;
    /// # #[consumer]
    /// # impl Market {
    /// #     #[action(permission = AllowAny)]
    /// #     async fn ping(&self) {}
    /// #     #[event(permission = AllowAny)]
    /// #     fn price(event: &Price) -> u32 { event.0 }
    /// # }
    /// async fn replay(publisher: &Publisher<Market>, prices: Vec<u32>) {
    ///     for price in prices {
    ///         publisher.ready().await;
    ///         publisher.publish(&Ticker, Price(price));
    ///     }
    /// }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// # let market = portcullis::websocket(Market);
    /// # replay(&market.publisher(), vec![1, 2]).await;
    /// # assert_eq!(market.publisher().counters().published, 2);
    /// # }
    /// ```
    pub async fn ready(&self) {
        self.pacer.get_or_init(Pacer::new).before_publication().await;
    }

    /// Runs a publication, which returns the number of attempted deliveries. Readers with a long send queue hold this handle
    /// if its [`ready`](Publisher::ready) was called.
    fn publish_by_handle(&self, publish: impl FnOnce(&Arc<SessionRegistry<C>>) -> usize) {
        match self.pacer.get() {
            None => {
                publish(&self.registry);
            }
            Some(pacer) => {
                let deliveries = HANDLE_PACER.sync_scope(pacer.clone(), || publish(&self.registry));
                pacer.record_deliveries(deliveries);
            }
        }
        // An action may compute for a while after it has published by a handle.
        notify_now();
    }

    /// Publishes an event to every member of a group.
    pub fn publish<G, E>(&self, group: &G, event: E)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        check_key_or_panic(&self.registry, group);
        let event = OutgoingEvent::new(&self.registry, event, G::HISTORY.is_some());
        self.publish_by_handle(|registry| registry.publish(group, event, None));
    }

    /// Publishes an event to every member of several groups. A member of more than one of them receives it once, or once per group if
    /// the groups keep a [history](crate::guide::events#history), because it has a position in each.
    pub fn publish_to_several<G, E>(&self, groups: &[G], event: E)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        for group in groups {
            check_key_or_panic(&self.registry, group);
        }
        let event = OutgoingEvent::new(&self.registry, event, G::HISTORY.is_some());
        self.publish_by_handle(|registry| registry.publish_to_several(groups, event));
    }

    /// Deletes the [history](crate::guide::events#history) of a group. No connection recovers by a position from before. Events that
    /// a connection is already replaying are still delivered.
    ///
    /// # Errors
    ///
    /// - 503 `broker_unavailable` if the broker, which has the history, cannot be reached.
    /// - 500 `internal_error` if the key of the group cannot be encoded.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the history may or may not have been deleted.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use portcullis::{Group, KeepsHistory, Publisher, Result};
    /// # async fn delete<G: KeepsHistory>(publisher: Publisher<G::Consumer>, room: G) -> Result<()> {
    /// // After a message of the room was deleted from the database:
    /// publisher.purge(&room).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn purge<G: KeepsHistory<Consumer = C>>(&self, group: &G) -> Result<()> {
        match log_of(group)? {
            Some(log) => self.registry.purge_log(log).await,
            None => Ok(()),
        }
    }

    /// Publishes an event to one user, by [`User::id`](crate::User::id), on all connections.
    pub fn publish_to_user<E>(&self, user_id: &str, event: E)
    where
        C: Emits<E>,
        E: DistributedEvent,
    {
        let event = OutgoingEvent::new(&self.registry, event, false);
        self.publish_by_handle(|registry| registry.publish_to_user(user_id, event));
    }

    /// Joins every connection of a user, by [`User::id`](crate::User::id), to a group, if the group's permission holds for
    /// it. Returns the number of connections that are members then; refusals are logged. Only connections to this machine
    /// are joined: with a [broker](crate::Endpoint::broker), call it on each.
    ///
    /// Connections that the user opens later are not joined: join those in `#[connect]`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, some of the connections may have joined, and stay members.
    pub async fn join<G: Group<Consumer = C>>(&self, user_id: &str, group: G) -> usize {
        check_key_or_panic(&self.registry, &group);
        let sessions = self.registry.sessions_of_user(user_id);
        let joined = join_all(sessions.iter().map(|session| session.authorize_and_join(group.clone()))).await;
        joined.into_iter().filter(|joined| *joined).count()
    }

    /// Removes every connection of a user to this machine, by [`User::id`](crate::User::id), from a group, at once. With a
    /// [broker](crate::Endpoint::broker), call it on each machine, or let the group's permission refuse and call
    /// [`refresh_user`](crate::Connections::refresh_user).
    pub fn leave<G: Group<Consumer = C>>(&self, user_id: &str, group: &G) {
        for session in self.registry.sessions_of_user(user_id) {
            session.memberships.remove(group);
        }
    }

    /// Returns the event counters of the endpoint.
    pub fn counters(&self) -> EventCounters {
        self.registry.telemetry.event_counters()
    }
}

impl<C: Consumer> Clone for Publisher<C> {
    fn clone(&self) -> Self {
        Publisher::new(self.registry.clone())
    }
}

impl<C: Consumer> fmt::Debug for Publisher<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Publisher").field(&C::NAME).finish()
    }
}
