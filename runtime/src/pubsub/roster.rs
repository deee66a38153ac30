//! The users of one group with `presence`, by the memberships of their connections.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::member::MemberScope;
use super::presence_changes::{PresenceChange, PresenceChanges};
use crate::consumer::Consumer;
use crate::session::membership::Membership;
use crate::session::session::Session;

/// A user of a group.
pub(super) struct RosterUser<C: Consumer> {
    pub(super) id: Arc<str>,
    /// The connection that joined last.
    pub(super) newest: Arc<Session<C>>,
    /// The number of the user's connections in the group.
    pub(super) connections: usize,
}

/// The users that are present in one group: each while one of its memberships has an entry. Anonymous members have none.
pub(super) struct Roster<C: Consumer> {
    users: HashMap<Arc<str>, UserConnections<C>>,
    /// The entry of each membership, by its address: the membership is in the group's list of members for as long.
    joins: HashMap<usize, Join>,
    next_join: u64,
    /// `None` if changes are not announced.
    pub(super) changes: Option<PresenceChanges<C>>,
}

/// The entry of a membership.
struct Join {
    user_id: Arc<str>,
    /// The number of the join in the group.
    number: u64,
}

/// The connections of a user that are members of the group.
struct UserConnections<C: Consumer> {
    /// Each by the number of its join, so that the last one joined last.
    sessions: BTreeMap<u64, Arc<Session<C>>>,
    /// The scope by which the user is announced. `None` if changes are not announced.
    scope: Option<MemberScope<C>>,
}

/// What a change of the roster has removed from it. It is dropped after the lock of the roster is released, because it may
/// own the last reference to a user.
#[must_use]
#[expect(dead_code, reason = "only dropped")]
pub(super) struct Removed<C: Consumer>(
    Option<Arc<Session<C>>>,
    Option<UserConnections<C>>,
    Option<MemberScope<C>>,
    Option<PresenceChange<C>>,
);

impl<C: Consumer> Roster<C> {
    pub(super) fn new(is_announced: bool) -> Roster<C> {
        let changes = is_announced.then(PresenceChanges::new);
        Roster { users: HashMap::new(), joins: HashMap::new(), next_join: 0, changes }
    }

    /// Returns the users, in no particular order, or `None` if there are more than `max_users`.
    pub(super) fn users(&self, max_users: usize) -> Option<Vec<RosterUser<C>>> {
        let user = |(id, connections): (&Arc<str>, &UserConnections<C>)| {
            let (_, newest) = connections.sessions.last_key_value()?;
            Some(RosterUser { id: id.clone(), newest: newest.clone(), connections: connections.sessions.len() })
        };
        (self.users.len() <= max_users).then(|| self.users.iter().filter_map(user).collect())
    }

    /// Adds the membership of a connection whose user is `scope`, unless it has been added.
    pub(super) fn add(&mut self, membership: &Membership, user_id: &Arc<str>, scope: MemberScope<C>) -> Removed<C> {
        let Entry::Vacant(join) = self.joins.entry(address(membership)) else {
            return Removed(None, None, Some(scope), None);
        };
        let number = self.next_join;
        self.next_join += 1;
        join.insert(Join { user_id: user_id.clone(), number });
        let session = scope.session.clone();
        if let Some(user) = self.users.get_mut(user_id) {
            user.sessions.insert(number, session);
            return Removed(None, None, Some(scope), None);
        }
        let (mut unused, mut replaced, mut announced) = (None, None, None);
        match &mut self.changes {
            Some(changes) => {
                announced = Some(scope.clone());
                replaced = changes.record(PresenceChange { user_id: user_id.clone(), scope, is_online: true });
            }
            None => unused = Some(scope),
        }
        let sessions = BTreeMap::from([(number, session)]);
        self.users.insert(user_id.clone(), UserConnections { sessions, scope: announced });
        Removed(None, None, unused, replaced)
    }

    /// Removes a membership.
    pub(super) fn remove(&mut self, membership: &Membership) -> Removed<C> {
        let Some(Join { user_id, number }) = self.joins.remove(&address(membership)) else {
            return Removed(None, None, None, None);
        };
        let Entry::Occupied(mut user) = self.users.entry(user_id) else { return Removed(None, None, None, None) };
        let session = user.get_mut().sessions.remove(&number);
        if !user.get().sessions.is_empty() {
            return Removed(session, None, None, None);
        }
        let (user_id, mut user) = user.remove_entry();
        let mut replaced = None;
        if let (Some(changes), Some(scope)) = (&mut self.changes, user.scope.take()) {
            replaced = changes.record(PresenceChange { user_id, scope, is_online: false });
        }
        Removed(session, Some(user), None, replaced)
    }
}

fn address(membership: &Membership) -> usize {
    std::ptr::from_ref(membership).addr()
}
