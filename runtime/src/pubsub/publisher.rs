//! Publishing from outside a connection.

use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;

use super::event::Emits;
use super::group::{Carries, Group};
use crate::consumer::Consumer;
use crate::panic::Contained;
use crate::session::counters::EventCounters;
use crate::session::registry::SessionRegistry;

/// Publishes to the groups of an endpoint, and says who is in them, from anywhere: an HTTP handler, a job. Cloning gives another handle.
///
/// It sends at once, and waits for nobody. What holds for an event published by an action holds here: each member gets it
/// only where the event's permission lets them see it.
pub struct Publisher<C: Consumer>(Arc<SessionRegistry<C>>);

impl<C: Consumer> Publisher<C> {
    pub(crate) fn new(registry: Arc<SessionRegistry<C>>) -> Publisher<C> {
        Publisher(registry)
    }

    /// To every member of a group.
    pub fn publish<G, E>(&self, group: &G, event: E)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.0.publish(group, Contained::new(event), None);
    }

    /// To every member of several groups. Who is in more than one of them gets it once.
    pub fn publish_to_several<G, E>(&self, groups: &[G], event: E)
    where
        G: Group<Consumer = C> + Carries<E>,
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.0.publish_to_several(groups, Contained::new(event));
    }

    /// To one user, by [`User::id`](crate::User::id), on all sockets.
    pub fn publish_to_user<E>(&self, user_id: &str, event: E)
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.0.publish_to_user(user_id, Contained::new(event));
    }

    /// Lets every connection of a user into a group, as far as the group's permission lets them in. How many it did; why it
    /// did not, the log says.
    ///
    /// Who connects later is not in it: that is for `#[connect]`.
    pub async fn join<G: Group<Consumer = C>>(&self, user_id: &str, group: G) -> usize {
        let sessions = self.0.sessions_of_user(user_id);
        let joined = join_all(sessions.iter().map(|session| session.authorize_and_join(group.clone()))).await;
        joined.into_iter().filter(|joined| *joined).count()
    }

    /// Takes every connection of a user out of a group, at once.
    pub fn leave<G: Group<Consumer = C>>(&self, user_id: &str, group: &G) {
        for session in self.0.sessions_of_user(user_id) {
            session.remove_membership(group);
        }
    }

    /// What became of the events so far.
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
