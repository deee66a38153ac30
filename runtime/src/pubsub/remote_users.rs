//! The users of other machines that may be shown here: the application loads each once, and again when its rights may have
//! changed.

use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::member::MemberScope;
use super::remote_user::RemoteUser;
use super::remote_users_state::{LoadProgress, RemoteUserList, RemoteUsersState, UserEntry};
use super::roster::Removed;
use crate::consumer::Consumer;
use crate::context::{Handler, User};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::panic::{catch_unwind, contain_future, drop_contained, log_entry};
use crate::session::RemoteUserCache;
use crate::sync::{Handle, ignore_poison};
use crate::time::deadline;

/// The number of users that are loaded at the same time.
const MAX_LOADS: usize = 32;

/// The time limit of a load.
const LOAD_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a list waits for users that are being loaded.
const LIST_TIMEOUT: Duration = Duration::from_secs(1);

/// How long after a failed load the user is loaded again. It doubles with each failure, up to the maximum.
const MIN_RETRY_DELAY: Duration = Duration::from_secs(1);
const MAX_RETRY_DELAY: Duration = Duration::from_mins(1);

/// How long a user that no group here shows is kept.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// Loads a user by its id, from the application's own source.
pub(crate) type LoadUser<U> = dyn Fn(String) -> BoxFuture<'static, Result<Option<U>>> + Send + Sync;

/// The users of other machines.
pub(crate) struct RemoteUsers<C: Consumer> {
    load: Arc<LoadUser<C::User>>,
    runtime: Handle,
    /// Protects the users and what is to be loaded, and is held while a group is told of a change, so that the last one counts.
    /// Lock order: before the lists of members and what the node knows of users.
    state: Mutex<RemoteUsersState<C>>,
    /// Notified when a load has ended.
    settled: Notify,
    failures: AtomicU64,
}

/// What has to be done when the lock of the users is released.
struct AfterUnlock<C: Consumer> {
    removed: Vec<Removed<C>>,
    users: Vec<Arc<RemoteUser<<C as Handler>::User>>>,
    lists: Vec<Arc<dyn RemoteUserList<C>>>,
}

impl<C: Consumer> AfterUnlock<C> {
    fn new() -> AfterUnlock<C> {
        AfterUnlock { removed: Vec::new(), users: Vec::new(), lists: Vec::new() }
    }

    /// Drops users, and announces changes.
    fn run(self) {
        let AfterUnlock { removed, users, lists } = self;
        drop((removed, users));
        lists.into_iter().for_each(RemoteUserList::announce_remote_users);
    }
}

impl<C: Consumer> RemoteUsers<C> {
    /// Creates an empty set of users.
    ///
    /// # Panics
    ///
    /// Panics outside of a tokio runtime.
    pub(crate) fn new(load: Arc<LoadUser<C::User>>) -> Arc<RemoteUsers<C>> {
        Arc::new(RemoteUsers {
            load,
            runtime: Handle::current(),
            state: Mutex::new(RemoteUsersState::new()),
            settled: Notify::new(),
            failures: AtomicU64::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, RemoteUsersState<C>> {
        ignore_poison(self.state.lock())
    }

    /// Shows users in a list of members, with the numbers of connections that `connections` returns then. Called while no lock is
    /// held.
    pub(super) fn update(
        self: &Arc<Self>,
        list: &Arc<impl RemoteUserList<C> + 'static>,
        user_ids: &[Arc<str>],
        connections: impl Fn(&str) -> usize,
    ) {
        let (mut after_unlock, now) = (AfterUnlock::new(), Instant::now());
        let mut state = self.state();
        for user_id in user_ids {
            // Read under the lock, so that of two updates the later one counts.
            let user = self.show(&mut state, list, user_id, connections(user_id), now);
            after_unlock.removed.push(list.set_remote_user(user_id, user, true));
        }
        drop(state);
        after_unlock.lists.push(list.clone());
        after_unlock.run();
        self.start_loads();
    }

    /// Shows all users in a list of members that is new, without announcing them. `take_users` returns them, or `None` if the
    /// list is not new. Called while no lock is held.
    pub(super) fn attach(
        self: &Arc<Self>,
        list: &Arc<impl RemoteUserList<C> + 'static>,
        take_users: impl FnOnce() -> Option<BTreeMap<Arc<str>, usize>>,
    ) {
        let (mut after_unlock, now) = (AfterUnlock::new(), Instant::now());
        let mut state = self.state();
        for (user_id, connections) in take_users().into_iter().flatten() {
            let user = self.show(&mut state, list, &user_id, connections, now);
            after_unlock.removed.push(list.set_remote_user(&user_id, user, false));
        }
        drop(state);
        after_unlock.run();
        self.start_loads();
    }

    /// Records whether a list shows a user, and returns by what.
    fn show(
        &self,
        state: &mut RemoteUsersState<C>,
        list: &Arc<impl RemoteUserList<C> + 'static>,
        user_id: &Arc<str>,
        connections: usize,
        now: Instant,
    ) -> Option<(MemberScope<C>, usize)> {
        let list: Arc<dyn RemoteUserList<C>> = list.clone();
        let list = Arc::downgrade(&list);
        if connections == 0 {
            if let Some(entry) = state.users.get_mut(user_id) {
                entry.lists.retain(|other| other.strong_count() > 0 && !other.ptr_eq(&list));
                entry.used_at = now;
            }
            return None;
        }
        let entry = state.entry(user_id, now);
        let mut is_back = false;
        if !entry.lists.iter().any(|other| other.ptr_eq(&list)) {
            entry.lists.retain(|other| other.strong_count() > 0);
            is_back = entry.lists.is_empty();
            entry.lists.push(list);
        }
        let scope = entry.scope();
        if is_back {
            // A user who connects again may have changed.
            state.request(user_id, now);
        }
        Some((scope, connections))
    }

    /// Returns the scopes that show users which no list has. Called while no lock is held.
    pub(super) fn scopes(self: &Arc<Self>, user_ids: impl IntoIterator<Item = Arc<str>>) -> Vec<MemberScope<C>> {
        let (mut state, now) = (self.state(), Instant::now());
        let scopes = user_ids.into_iter().map(|user_id| state.entry(&user_id, now).scope()).collect();
        drop(state);
        self.start_loads();
        scopes
    }

    /// Waits until these users are loaded, for a second at most, and for none whose load was requested a second ago.
    pub(super) async fn wait_for_loads(self: &Arc<Self>, mut user_ids: Vec<Arc<str>>) {
        drop(self.scopes(user_ids.iter().cloned()));
        let wait_until = Instant::now() + LIST_TIMEOUT;
        loop {
            let mut settled = std::pin::pin!(self.settled.notified());
            settled.as_mut().enable();
            // Each load that ends wakes all lists, so each looks only for what it still waits for.
            self.retain_pending(&mut user_ids);
            if user_ids.is_empty() || timeout_at(wait_until, settled).await.is_err() {
                return;
            }
        }
    }

    /// Retains the users that are being loaded, unless their loads were requested too long ago.
    fn retain_pending(&self, user_ids: &mut Vec<Arc<str>>) {
        let (state, now) = (self.state(), Instant::now());
        let is_awaited = |entry: &UserEntry<C>| entry.is_pending() && entry.requested_at + LIST_TIMEOUT > now;
        user_ids.retain(|user_id| state.users.get(user_id).is_some_and(is_awaited));
    }

    /// Starts as many loads as are due and allowed. Called while no lock is held.
    fn start_loads(self: &Arc<Self>) {
        let mut state = self.state();
        let started = state.queue.len().min(MAX_LOADS - state.loads);
        state.loads += started;
        drop(state);
        for _ in 0..started {
            self.runtime.spawn(load_users(Arc::downgrade(self)));
        }
    }

    async fn load(&self, user_id: &str) -> Result<Option<C::User>> {
        let load = catch_unwind(|| (self.load)(user_id.to_owned()));
        let load = load.map_err(|panic| Error::internal(format!("the loader panicked: {}", panic.message())))?;
        let loaded = match deadline(LOAD_TIMEOUT, contain_future(load)).await {
            Some(Ok(loaded)) => loaded?,
            Some(Err(panic)) => return Err(Error::internal(format!("the loader panicked: {}", panic.message()))),
            None => return Err(Error::internal("the loader took too long")),
        };
        let Some(user) = loaded else { return Ok(None) };
        if catch_unwind(|| user.id() == user_id).unwrap_or(false) {
            return Ok(Some(user));
        }
        drop_contained(user);
        Err(Error::internal("the loader returned a user with another id"))
    }

    /// Shows a user as it was loaded, unless its rights may have changed since.
    fn finish(self: &Arc<Self>, user_id: &Arc<str>, generation: u64, loaded: Result<Option<C::User>>) {
        let (failure, user) = match loaded {
            Ok(user) => (None, user),
            Err(error) => (Some(error), None),
        };
        let user = Arc::new(RemoteUser::new(user));
        let (mut after_unlock, now) = (AfterUnlock::new(), Instant::now());
        // Whatever happens to it, it is dropped after the lock.
        after_unlock.users.push(user.clone());
        let mut state = self.state();
        if let Some(entry) = state.users.get_mut(user_id) {
            if entry.generation == generation {
                let is_loaded = user.former().is_some();
                entry.failures = if is_loaded { 0 } else { entry.failures.saturating_add(1) };
                let delay = MIN_RETRY_DELAY.saturating_mul(1 << entry.failures.clamp(1, 10).saturating_sub(1));
                entry.progress = if is_loaded {
                    LoadProgress::Loaded
                } else {
                    LoadProgress::Failed(now + delay.min(MAX_RETRY_DELAY))
                };
                after_unlock.users.push(mem::replace(&mut entry.user, user));
                for list in entry.lists.iter().filter_map(Weak::upgrade) {
                    after_unlock.removed.push(list.replace_remote_user(user_id, entry.scope()));
                    after_unlock.lists.push(list);
                }
            } else {
                entry.progress = LoadProgress::Queued;
                state.queue.push_back(user_id.clone());
            }
        }
        drop(state);
        self.settled.notify_waiters();
        after_unlock.run();
        let Some(error) = failure else { return };
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures.is_power_of_two() {
            let (user, cause) = (Truncated::new(user_id), Cause::new(&error));
            log_entry!(ERROR, ?user, ?cause, failures, "user of another machine hidden: it could not be loaded");
        }
    }

    /// Loads failed users again, and forgets those that are not shown any more. Called every few seconds, while no lock is held.
    pub(super) fn upkeep(self: &Arc<Self>) {
        let now = Instant::now();
        let (mut state, mut removed, mut due) = (self.state(), Vec::new(), Vec::new());
        state.users.retain(|user_id, entry| {
            let is_shown = entry.lists.iter().any(|list| list.strong_count() > 0);
            if is_shown {
                entry.used_at = now;
            }
            if matches!(entry.progress, LoadProgress::Failed(retry_at) if retry_at <= now) {
                due.push(user_id.clone());
            }
            let is_kept = now.saturating_duration_since(entry.used_at) < IDLE_TIME;
            if !is_kept {
                removed.push(entry.user.clone());
            }
            is_kept
        });
        for user_id in due {
            state.request(&user_id, now);
        }
        drop(state);
        drop(removed);
        self.start_loads();
    }
}

/// One of the loads that are allowed at the same time. Another task takes it over if this one panics.
struct LoadSlot<C: Consumer> {
    users: Weak<RemoteUsers<C>>,
    has_ended: bool,
}

impl<C: Consumer> Drop for LoadSlot<C> {
    fn drop(&mut self) {
        if let (false, Some(users)) = (self.has_ended, self.users.upgrade()) {
            users.state().loads -= 1;
            users.start_loads();
        }
    }
}

/// Loads users until none is due.
async fn load_users<C: Consumer>(users: Weak<RemoteUsers<C>>) {
    let mut slot = LoadSlot { users, has_ended: false };
    while let Some(users) = slot.users.upgrade() {
        let Some((user_id, generation)) = users.state().next() else {
            slot.has_ended = true;
            return;
        };
        let loaded = users.load(&user_id).await;
        users.finish(&user_id, generation, loaded);
    }
}

/// A cache that can be told of changes of rights: the handle that the registry of sessions has.
pub(super) struct RemoteUserHandle<C: Consumer>(pub(super) Arc<RemoteUsers<C>>);

impl<C: Consumer> RemoteUserCache for RemoteUserHandle<C> {
    fn forget_user(&self, user_id: &str) {
        self.0.state().invalidate(&user_id.into(), Instant::now());
        self.0.start_loads();
    }

    fn forget_all(&self) {
        let (mut state, now) = (self.0.state(), Instant::now());
        let user_ids: Vec<Arc<str>> = state.users.keys().cloned().collect();
        for user_id in &user_ids {
            state.invalidate(user_id, now);
        }
        drop(state);
        self.0.start_loads();
    }
}
