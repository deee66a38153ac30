//! The task that announces the changes of one group's users.

use std::sync::Arc;

use super::MemberList;
use crate::pubsub::announcement::{DueChanges, announce_changes};
use crate::pubsub::group::Group;
use crate::pubsub::presence_changes::{PresenceChange, PresenceChanges, Scopes};
use crate::pubsub::roster::Roster;
use crate::session::NotifyAfterPoll;
use crate::session::session::Session;
use crate::sync::{RuntimeId, lock};

impl<G: Group> MemberList<G> {
    /// Starts to announce the changes of the users, unless there are none or a task announces them. `is_restart` if a task has
    /// ended before it had announced all. Called while no lock is held.
    pub(in crate::pubsub) fn announce(self: &Arc<Self>, session: &Session<G::Consumer>, is_restart: bool) {
        let Some(group) = self.announced_group.clone() else { return };
        let is_due =
            |roster: &mut Box<Roster<_>>| roster.changes.as_mut().is_some_and(PresenceChanges::begin_announcing);
        if lock(&self.state).roster.as_mut().is_some_and(is_due) {
            let (runtime, changes) = (session.runtime.id(), Vec::new());
            let mut task = AnnouncementTask { list: self.clone(), runtime, changes, has_ended: false, is_restart };
            let (name, registry) = (self.name.clone(), session.registry.clone());
            session.runtime.spawn(NotifyAfterPoll::new(announce_changes(group, name, registry, move || task.next())));
        }
    }
}

/// The task that announces the changes of one group's users. However it ends, another one can start.
struct AnnouncementTask<G: Group> {
    list: Arc<MemberList<G>>,
    runtime: RuntimeId,
    /// The changes that are being announced.
    changes: Vec<Arc<PresenceChange<G::Consumer>>>,
    has_ended: bool,
    is_restart: bool,
}

impl<G: Group> AnnouncementTask<G> {
    /// Returns the next changes to announce, with the members at this time. If no change is pending, another task may start.
    fn next(&mut self) -> Option<DueChanges<G>> {
        let mut state = lock(&self.list.state);
        let changes = state.roster.as_mut().and_then(|roster| Some(roster.changes.as_mut()?.next()));
        let changes: Vec<_> = changes.into_iter().flatten().map(Arc::new).collect();
        self.has_ended = changes.is_empty();
        let members = state.members.clone();
        drop(state);
        self.changes.clone_from(&changes);
        (!self.has_ended).then_some(DueChanges { changes, members })
    }
}

impl<G: Group> Drop for AnnouncementTask<G> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let (mut state, mut removed) = (lock(&self.list.state), Scopes::new());
        if let Some(changes) = state.roster.as_mut().and_then(|roster| roster.changes.as_mut()) {
            changes.stop_announcing(&self.changes, &mut removed);
        }
        let members = state.members.clone();
        drop(state);
        drop(removed);
        // If the task's runtime was shut down, the members on another one are still there. Once, because that one may be shut
        // down too.
        let other = members.iter().find(|member| member.session.runtime.id() != self.runtime);
        if let Some(member) = other.filter(|_| !self.is_restart) {
            self.list.announce(&member.session, true);
        }
    }
}
