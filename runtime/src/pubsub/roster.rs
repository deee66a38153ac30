//! The users of one group with `presence`, and the changes that are still to be announced.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::consumer::Consumer;
use crate::context::ConnectionId;
use crate::session::session::Session;

/// The connections of one user in a group, in the order in which they joined.
type UserSessions<C> = SmallVec<[Arc<Session<C>>; 1]>;

/// A user of a group.
pub(super) struct RosterUser<C: Consumer> {
    pub(super) id: Arc<str>,
    pub(super) sessions: UserSessions<C>,
}

/// The users that are members of one group. Anonymous members have no entry.
pub(super) struct Roster<C: Consumer> {
    users: HashMap<Arc<str>, UserSessions<C>>,
    /// Whether changes are announced.
    is_announced: bool,
    /// The changes that are still to be announced, in the order in which they took place.
    changes: VecDeque<PresenceChange<C>>,
}

/// A user who has come or gone.
pub(super) struct PresenceChange<C: Consumer> {
    pub(super) user_id: Arc<str>,
    /// The connection by which the user has come or gone.
    pub(super) session: Arc<Session<C>>,
    pub(super) is_online: bool,
    /// The only connection that learns of it. `None` for all members.
    pub(super) receiver: Option<ConnectionId>,
}

impl<C: Consumer> Roster<C> {
    pub(super) fn new(is_announced: bool) -> Roster<C> {
        Roster { users: HashMap::new(), is_announced, changes: VecDeque::new() }
    }

    /// Returns the users, in no particular order, or `None` if there are more than `max_users`.
    pub(super) fn users(&self, max_users: usize) -> Option<Vec<RosterUser<C>>> {
        let user =
            |(id, sessions): (&Arc<str>, &UserSessions<C>)| RosterUser { id: id.clone(), sessions: sessions.clone() };
        (self.users.len() <= max_users).then(|| self.users.iter().map(user).collect())
    }

    /// Adds a connection of a member, unless it is anonymous or has been added.
    pub(super) fn add(&mut self, session: &Arc<Session<C>>) {
        // The user of the current scope: an anonymous connection that logs in has an id before it has its user.
        let Some(scope) = session.scope().filter(|scope| scope.user().is_some()) else { return };
        let user_id: Arc<str> = session.user_id().map_or_else(|| scope.user_id().into(), Arc::from);
        let sessions = self.users.entry(user_id.clone()).or_default();
        if sessions.iter().any(|known| Arc::ptr_eq(known, session)) {
            return;
        }
        // A user whose other connections are closing is not listed any more, so comes again.
        let is_new = sessions.iter().all(|known| known.is_closing());
        sessions.push(session.clone());
        if is_new {
            self.record(user_id, session, true);
        }
    }

    /// Removes a connection of a member.
    pub(super) fn remove(&mut self, session: &Arc<Session<C>>) {
        let Some(user_id) = session.user_id() else { return };
        let Entry::Occupied(mut sessions) = self.users.entry(user_id.into()) else { return };
        sessions.get_mut().retain(|known| !Arc::ptr_eq(known, session));
        if sessions.get().is_empty() {
            let (user_id, _) = sessions.remove_entry();
            self.record(user_id, session, false);
        }
    }

    fn record(&mut self, user_id: Arc<str>, session: &Arc<Session<C>>, is_online: bool) {
        if self.is_announced {
            let session = session.clone();
            self.changes.push_back(PresenceChange { user_id, session, is_online, receiver: None });
        }
    }

    /// Lets one connection learn what has changed since a list of users was taken.
    pub(super) fn record_difference(&mut self, earlier: &HashMap<Arc<str>, Arc<Session<C>>>, receiver: ConnectionId) {
        let gone = earlier.iter().filter(|(user_id, _)| !self.users.contains_key(*user_id));
        let gone = gone.map(|(user_id, session)| (user_id.clone(), session.clone(), false));
        let new = self.users.iter().filter(|(user_id, _)| !earlier.contains_key(*user_id));
        let new = new.filter_map(|(user_id, sessions)| Some((user_id.clone(), sessions.last()?.clone(), true)));
        let changes = gone.chain(new).map(|(user_id, session, is_online)| PresenceChange {
            user_id,
            session,
            is_online,
            receiver: Some(receiver),
        });
        self.changes.extend(changes);
    }

    /// Returns whether there are changes to announce.
    pub(super) fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Returns the next change to announce.
    pub(super) fn next_change(&mut self) -> Option<PresenceChange<C>> {
        self.changes.pop_front()
    }
}
