//! Publishing from `#[disconnect]`.

use std::any::Any;
use std::sync::Arc;

use super::encoding_check::check_key_or_panic;
use super::event::Emits;
use super::group::{Carries, Group};
use super::outgoing_event::OutgoingEvent;
use crate::consumer::Consumer;
use crate::context::{Disconnect, Handler, User};
use crate::panic::{Contained, log_entry};
use crate::session::memberships::EndedMemberships;
use crate::session::session::Session;

impl<U: User> Disconnect<'_, U> {
    /// Returns the groups of type `G` that the connection was a member of when it ended, in no particular order:
    /// `cx.left::<Room>()`. Empty if it was in none, or if the group belongs to another consumer.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Disconnect, Event, Group, consumer};
    /// # #[derive(Event)]
    /// # struct Gone(String);
    /// # #[derive(Clone, PartialEq, Eq, Hash, Group)]
    /// # #[group(consumer = Chat, permission = AllowAny, publish = members, events(Gone))]
    /// # struct Room(u32);
    /// # struct Chat;
    /// # #[consumer]
    /// # impl Chat {
    /// #[disconnect]
    /// async fn on_disconnect(&self, cx: &Disconnect<'_, ()>) {
    ///     for room in cx.left::<Room>() {
    ///         cx.publish(room, Gone(cx.scope().connection_id().to_string()));
    ///     }
    /// }
    /// # #[action(permission = AllowAny)]
    /// # async fn ping(&self) {}
    /// # #[event(permission = AllowAny)]
    /// # fn gone<'e>(&self, event: &'e Gone) -> &'e str { &event.0 }
    /// # }
    /// ```
    pub fn left<G: Group>(&self) -> Vec<G>
    where
        G::Consumer: Handler<User = U>,
    {
        let memberships = <dyn Any>::downcast_ref::<EndedMemberships<G::Consumer>>(self.ended_memberships());
        memberships.map(EndedMemberships::groups).unwrap_or_default()
    }

    /// Publishes an event to a group, at once: every member for which the event's permission holds receives it.
    ///
    /// Unchecked: nothing is evaluated for the user of the connection, because the server publishes. If the group belongs to
    /// another consumer, the event is dropped and an error is logged.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, Disconnect, Event, Group, consumer};
    /// # #[derive(Event)]
    /// # struct Gone;
    /// # #[derive(Clone, PartialEq, Eq, Hash, Group)]
    /// # #[group(consumer = Chat, permission = AllowAny, publish = members, events(Gone))]
    /// # struct Lobby;
    /// # struct Chat;
    /// # #[consumer]
    /// # impl Chat {
    /// #[disconnect]
    /// async fn on_disconnect(&self, cx: &Disconnect<'_, ()>) {
    ///     cx.publish(Lobby, Gone);
    /// }
    /// # #[action(permission = AllowAny)]
    /// # async fn ping(&self) {}
    /// # #[event(permission = AllowAny)]
    /// # fn gone(&self, _: &Gone) -> &'static str { "someone left" }
    /// # }
    /// ```
    pub fn publish<G, E>(&self, group: G, event: E)
    where
        G: Carries<E>,
        G::Consumer: Handler<User = U> + Emits<E>,
        E: Send + Sync + 'static,
    {
        let group = Contained::new(group);
        let Some(session) = <dyn Any>::downcast_ref::<Arc<Session<G::Consumer>>>(self.session()) else {
            log_entry!(
                ERROR,
                consumer = <G::Consumer as Consumer>::NAME,
                "event dropped: the connection does not belong to the consumer of the group"
            );
            return;
        };
        check_key_or_panic(&session.registry, &*group);
        let event = OutgoingEvent::new(&session.registry, event, G::HISTORY.is_some());
        session.registry.publish(&*group, event, None);
    }
}
