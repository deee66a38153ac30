//! Publishing from outside a connection.

use std::fmt;
use std::sync::Arc;

use super::event::Emits;
use super::hub::Hub;
use super::join::{Carries, Group};
use crate::consumer::Consumer;

/// Publishes to the groups of an endpoint from anywhere: an HTTP handler, a job. Cloning gives another handle.
///
/// It sends at once, and waits for nobody. What holds for an event published by an action holds here: each member gets it
/// only where the event's permission lets them see it.
pub struct Publisher<C: Consumer>(Arc<Hub<C>>);

impl<C: Consumer> Publisher<C> {
    pub(crate) fn new(hub: Arc<Hub<C>>) -> Publisher<C> {
        Publisher(hub)
    }

    /// To every member of a group.
    pub fn publish<G, E>(&self, group: &G, event: E)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.0.publish(std::slice::from_ref(group), event, None);
    }

    /// To every member of several groups. Who is in more than one of them gets it once.
    pub fn publish_to_several<G, E>(&self, groups: &[G], event: E)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.0.publish(groups, event, None);
    }

    /// To one user, by [`User::id`](crate::User::id), on all sockets.
    pub fn publish_to_user<E>(&self, user_id: &str, event: E)
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.0.publish_to_user(user_id, event);
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
