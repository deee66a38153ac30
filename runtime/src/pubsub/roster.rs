//! The users of one group with `presence`, by the memberships of their connections.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::member::MemberScope;
use super::presence_changes::{PresenceChanges, Scopes};
use crate::consumer::Consumer;
use crate::context::Epoch;
use crate::session::membership::Membership;

/// A user of a group.
pub(super) struct RosterUser<C: Consumer> {
    pub(super) id: Arc<str>,
    /// The scope by which the user is shown.
    pub(super) scope: MemberScope<C>,
    /// The number of the user's connections in the group, on all machines.
    pub(super) connections: usize,
}

/// The users that are present in one group: each while one of its memberships has an entry, or while it is connected to another
/// machine. Anonymous members have none.
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
    /// The epoch of the session in which the scope has passed the group's permission.
    epoch: Epoch,
}

/// The connections of a user that are members of the group.
struct UserConnections<C: Consumer> {
    /// The scopes of those here, each by the number of its join. The user is shown by the first, so that further connections
    /// change nothing.
    local: BTreeMap<u64, MemberScope<C>>,
    /// What shows the user if it is not connected here, with the number of its connections to other machines.
    remote: Option<(MemberScope<C>, usize)>,
}

impl<C: Consumer> UserConnections<C> {
    /// Returns the scope that shows the user.
    fn visible_scope(&self) -> Option<&MemberScope<C>> {
        self.local.values().next().or(self.remote.as_ref().map(|(scope, _)| scope))
    }

    fn count(&self) -> usize {
        self.local.len() + self.remote.as_ref().map_or(0, |(_, connections)| *connections)
    }
}

/// What a change of the roster has removed from it. It is dropped after the lock of the roster is released, because it may
/// own the last reference to a user.
#[must_use]
pub(super) struct Removed<C: Consumer> {
    #[expect(dead_code, reason = "only dropped")]
    scopes: Scopes<C>,
    /// The user with the number of its connections here, if they have changed.
    pub(super) user: Option<(Arc<str>, usize)>,
}

impl<C: Consumer> Removed<C> {
    pub(super) fn new(scope: Option<MemberScope<C>>) -> Removed<C> {
        Removed { scopes: scope.into_iter().collect(), user: None }
    }
}

impl<C: Consumer> Roster<C> {
    pub(super) fn new(is_announced: bool) -> Roster<C> {
        let changes = is_announced.then(PresenceChanges::new);
        Roster { users: HashMap::new(), joins: HashMap::new(), next_join: 0, changes }
    }

    /// Returns the users, in no particular order, or `None` if there are more than `max_users`.
    pub(super) fn users(&self, max_users: usize) -> Option<Vec<RosterUser<C>>> {
        let user = |(id, connections): (&Arc<str>, &UserConnections<C>)| {
            Some(RosterUser {
                id: id.clone(),
                scope: connections.visible_scope()?.clone(),
                connections: connections.count(),
            })
        };
        (self.users.len() <= max_users).then(|| self.users.iter().filter_map(user).collect())
    }

    /// Adds the membership of a connection whose user is that of `scope`, or replaces its scope if it has been added with one
    /// of an earlier epoch.
    pub(super) fn add(
        &mut self,
        membership: &Membership,
        user_id: &Arc<str>,
        scope: MemberScope<C>,
        epoch: Epoch,
    ) -> Removed<C> {
        let number = match self.joins.entry(address(membership)) {
            Entry::Occupied(join) if join.get().epoch > epoch => return Removed::new(Some(scope)),
            Entry::Occupied(mut join) => {
                join.get_mut().epoch = epoch;
                join.get().number
            }
            Entry::Vacant(entry) => {
                let number = self.next_join;
                self.next_join += 1;
                entry.insert(Join { user_id: user_id.clone(), number, epoch }).number
            }
        };
        self.change(user_id, |connections| connections.local.insert(number, scope))
    }

    /// Removes a membership.
    pub(super) fn remove(&mut self, membership: &Membership) -> Removed<C> {
        match self.joins.remove(&address(membership)) {
            Some(Join { user_id, number, .. }) => {
                self.change(&user_id, |connections| connections.local.remove(&number))
            }
            None => Removed::new(None),
        }
    }

    /// Shows a user of other machines by a scope, with this number of connections; `None` if it has no connection to another
    /// machine. A change is announced if `is_announced`.
    pub(super) fn set_remote(
        &mut self,
        user_id: &Arc<str>,
        user: Option<(MemberScope<C>, usize)>,
        is_announced: bool,
    ) -> Removed<C> {
        if user.is_none() && !self.users.contains_key(user_id) {
            return Removed::new(None);
        }
        let changes = if is_announced { None } else { self.changes.take() };
        let removed = self
            .change(user_id, |connections| std::mem::replace(&mut connections.remote, user).map(|(scope, _)| scope));
        if !is_announced {
            self.changes = changes;
        }
        removed
    }

    /// Shows a user of other machines by another scope, if it is one.
    pub(super) fn replace_remote(&mut self, user_id: &Arc<str>, scope: MemberScope<C>) -> Removed<C> {
        let is_remote = |connections: &UserConnections<C>| connections.remote.is_some();
        if !self.users.get(user_id).is_some_and(is_remote) {
            return Removed::new(Some(scope));
        }
        self.change(user_id, |connections| {
            connections.remote.as_mut().map(|(former, _)| std::mem::replace(former, scope))
        })
    }

    /// Changes the connections of a user, and records if another scope, or none, shows it from now on. `change` returns the
    /// scope that it has removed.
    fn change(
        &mut self,
        user_id: &Arc<str>,
        change: impl FnOnce(&mut UserConnections<C>) -> Option<MemberScope<C>>,
    ) -> Removed<C> {
        let new = || UserConnections { local: BTreeMap::new(), remote: None };
        let connections = self.users.entry(user_id.clone()).or_insert_with(new);
        let (former, former_count) = (connections.visible_scope().cloned(), connections.local.len());
        let mut removed = Scopes::from_iter(change(connections));
        let (current, count) = (connections.visible_scope().cloned(), connections.local.len());
        if current.is_none() {
            self.users.remove(user_id);
        }
        match &mut self.changes {
            Some(changes)
                if former.as_ref().map(MemberScope::address) != current.as_ref().map(MemberScope::address) =>
            {
                changes.record(user_id, former, current, &mut removed);
            }
            _ => removed.extend(former.into_iter().chain(current)),
        }
        Removed { scopes: removed, user: (count != former_count).then(|| (user_id.clone(), count)) }
    }
}

fn address(membership: &Membership) -> usize {
    std::ptr::from_ref(membership).addr()
}
