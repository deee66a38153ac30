//! The users of a group on other machines, beside those that are connected here.

use std::mem;
use std::sync::Arc;

use super::MemberList;
use crate::broker::PartitionHold;
use crate::pubsub::group::Group;
use crate::pubsub::group_hold::{GroupHold, GroupPresence};
use crate::pubsub::member::MemberScope;
use crate::pubsub::remote_users_state::RemoteUserList;
use crate::pubsub::roster::{Removed, Roster};
use crate::sync::lock;

impl<G: Group> MemberList<G> {
    /// Returns how users are shared with other machines. `None` if they are not.
    fn presence(&self) -> Option<(&PartitionHold, &GroupPresence<G::Consumer>)> {
        let GroupHold { partition, presence, .. } = self.hold.as_ref()?;
        Some((partition, presence.as_ref()?))
    }

    /// Records for other machines how many connections a user has here, after a change of the roster. Called under the lock of
    /// the list, so that the last change counts.
    pub(super) fn record_connections(&self, removed: Removed<G::Consumer>) -> Removed<G::Consumer> {
        if let (Some((partition, presence)), Some((user_id, connections))) = (self.presence(), &removed.user) {
            partition.record_user(&presence.id, user_id, *connections);
        }
        removed
    }

    /// Tells other machines what was recorded. Called while no lock of the list is held.
    pub(super) fn publish_users(&self) {
        if let Some((partition, _)) = self.presence() {
            partition.publish_users();
        }
    }

    /// Shows the users of other machines that are known, if the list is new. Called while no lock is held.
    pub(in crate::pubsub) fn attach_remote_users(self: &Arc<Self>) {
        let Some((partition, presence)) = self.presence() else { return };
        if lock(&self.state).is_attached {
            return;
        }
        presence.users.attach(self, || {
            let is_attached = mem::replace(&mut lock(&self.state).is_attached, true);
            (!is_attached).then(|| partition.remote_users(&presence.id))
        });
    }

    /// Shows these users as they are connected to other machines. Called while no lock is held.
    pub(in crate::pubsub) fn update_remote_users(self: &Arc<Self>, user_ids: &[Arc<str>]) {
        if let Some((partition, presence)) = self.presence() {
            let connections = |user_id: &str| partition.remote_connections(&presence.id, user_id);
            presence.users.update(self, user_ids, connections);
        }
    }

    fn change_roster(
        &self,
        change: impl FnOnce(&mut Roster<G::Consumer>) -> Removed<G::Consumer>,
    ) -> Removed<G::Consumer> {
        lock(&self.state).roster.as_mut().map_or_else(|| Removed::new(None), |roster| change(roster))
    }
}

impl<G: Group> RemoteUserList<G::Consumer> for MemberList<G> {
    fn set_remote_user(
        &self,
        user_id: &Arc<str>,
        user: Option<(MemberScope<G::Consumer>, usize)>,
        is_announced: bool,
    ) -> Removed<G::Consumer> {
        self.change_roster(|roster| roster.set_remote(user_id, user, is_announced))
    }

    fn replace_remote_user(&self, user_id: &Arc<str>, scope: MemberScope<G::Consumer>) -> Removed<G::Consumer> {
        self.change_roster(|roster| roster.replace_remote(user_id, scope))
    }

    fn announce_remote_users(self: Arc<Self>) {
        let member = lock(&self.state).members.get(0).cloned();
        if let Some(member) = member {
            self.announce(&member.session, false);
        }
    }
}
