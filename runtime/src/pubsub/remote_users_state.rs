//! What is known of each user of other machines that may be shown here, for [`RemoteUsers`](super::remote_users::RemoteUsers).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};

use tokio::time::Instant;

use super::member::MemberScope;
use super::remote_user::RemoteUser;
use super::roster::Removed;
use crate::consumer::Consumer;
use crate::context::Handler;

/// The members of a group that shows users of other machines.
pub(super) trait RemoteUserList<C: Consumer>: Send + Sync {
    /// Shows a user of other machines by a scope, with this number of connections; `None` if it has no connection to another
    /// machine. A change is announced if `is_announced`. Called under the lock of the users.
    fn set_remote_user(
        &self,
        user_id: &Arc<str>,
        user: Option<(MemberScope<C>, usize)>,
        is_announced: bool,
    ) -> Removed<C>;
    /// Shows a user by another scope, if it has connections to other machines.
    fn replace_remote_user(&self, user_id: &Arc<str>, scope: MemberScope<C>) -> Removed<C>;
    /// Starts to announce changes. Called while no lock is held.
    fn announce_remote_users(self: Arc<Self>);
}

/// The users that may be shown here, and those that are to be loaded.
pub(super) struct RemoteUsersState<C: Consumer> {
    /// Ordered, so that a simulation runs the same way each time.
    pub(super) users: BTreeMap<Arc<str>, UserEntry<C>>,
    pub(super) queue: VecDeque<Arc<str>>,
    pub(super) loads: usize,
    /// The number of changes of rights and of users so far.
    pub(super) generation: u64,
}

/// A user, and where it is shown.
pub(super) struct UserEntry<C: Consumer> {
    pub(super) user: Arc<RemoteUser<<C as Handler>::User>>,
    pub(super) progress: LoadProgress,
    /// Changes with each change of the user's rights: a load that began before is discarded.
    pub(super) generation: u64,
    /// When the pending load was requested.
    pub(super) requested_at: Instant,
    pub(super) failures: u32,
    pub(super) lists: Vec<Weak<dyn RemoteUserList<C>>>,
    pub(super) used_at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LoadProgress {
    Queued,
    Loading,
    Loaded,
    /// The time of the next attempt.
    Failed(Instant),
}

impl<C: Consumer> UserEntry<C> {
    fn new(generation: u64, now: Instant) -> UserEntry<C> {
        UserEntry {
            user: Arc::new(RemoteUser::new(None)),
            progress: LoadProgress::Queued,
            generation,
            requested_at: now,
            failures: 0,
            lists: Vec::new(),
            used_at: now,
        }
    }

    pub(super) fn scope(&self) -> MemberScope<C> {
        MemberScope::Remote(self.user.clone())
    }

    pub(super) fn is_pending(&self) -> bool {
        matches!(self.progress, LoadProgress::Queued | LoadProgress::Loading)
    }
}

impl<C: Consumer> RemoteUsersState<C> {
    pub(super) fn new() -> RemoteUsersState<C> {
        RemoteUsersState { users: BTreeMap::new(), queue: VecDeque::new(), loads: 0, generation: 0 }
    }

    /// Returns what is known of a user, which is loaded unless it is.
    pub(super) fn entry(&mut self, user_id: &Arc<str>, now: Instant) -> &mut UserEntry<C> {
        let RemoteUsersState { users, queue, generation, .. } = self;
        let entry = users.entry(user_id.clone()).or_insert_with(|| {
            queue.push_back(user_id.clone());
            *generation += 1;
            UserEntry::new(*generation, now)
        });
        entry.used_at = now;
        entry
    }

    /// Loads a user again.
    pub(super) fn request(&mut self, user_id: &Arc<str>, now: Instant) {
        let Some(entry) = self.users.get_mut(user_id) else { return };
        if !entry.is_pending() {
            entry.progress = LoadProgress::Queued;
            entry.requested_at = now;
            self.queue.push_back(user_id.clone());
        }
    }

    pub(super) fn invalidate(&mut self, user_id: &Arc<str>, now: Instant) {
        if let Some(entry) = self.users.get_mut(user_id) {
            self.generation += 1;
            entry.user.invalidate();
            entry.generation = self.generation;
            entry.requested_at = now;
            entry.failures = 0;
        }
        self.request(user_id, now);
    }

    /// Takes the next user to load, with the generation of its rights.
    pub(super) fn next(&mut self) -> Option<(Arc<str>, u64)> {
        while let Some(user_id) = self.queue.pop_front() {
            if let Some(entry) = self.users.get_mut(&user_id).filter(|entry| entry.progress == LoadProgress::Queued) {
                entry.progress = LoadProgress::Loading;
                return Some((user_id, entry.generation));
            }
        }
        self.loads -= 1;
        None
    }
}
