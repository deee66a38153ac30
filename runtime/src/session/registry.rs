//! All groups of one endpoint on this machine: who is in which, and the way of an event to each member.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::counters::CounterCells;
use super::session::Session;
use crate::consumer::Consumer;
use crate::grants::{GrantCache, ObjectKey};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, lock};

/// The groups of one endpoint.
pub(crate) struct SessionRegistry<C: Consumer> {
    /// By the group's type, an `Arc<GroupTable<G>>`.
    pub(crate) groups: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// Everybody who is connected, by the user's id.
    by_user: Mutex<HashMap<String, Vec<Arc<Session<C>>>>>,
    /// Everybody who is connected, strangers too.
    sessions: Mutex<HashMap<u64, Arc<Session<C>>>>,
    next_id: AtomicU64,
    /// How often what somebody may do has changed.
    change_count: AtomicU64,
    /// Who was disconnected, and by which change.
    tombstones: Mutex<HashMap<String, u64>>,
    /// The last of those changes that was forgotten.
    expired_change: AtomicU64,
    /// Held while a connection is asked about again.
    revalidation_permits: Semaphore,
    /// Where the grants come from; clones of an endpoint may have several.
    grants: Mutex<Vec<GrantCache<C::User>>>,
    pub(crate) counters: Arc<CounterCells>,
}

/// How many connections are asked about at once, so that a change for all does not storm the application's database.
const MAX_CONCURRENT_REVALIDATIONS: usize = 32;

/// How many who were disconnected are remembered.
const MAX_TOMBSTONES: usize = 4096;

impl<C: Consumer> SessionRegistry<C> {
    pub(crate) fn new() -> SessionRegistry<C> {
        SessionRegistry {
            groups: Mutex::default(),
            by_user: Mutex::default(),
            sessions: Mutex::default(),
            next_id: AtomicU64::new(0),
            change_count: AtomicU64::new(0),
            tombstones: Mutex::default(),
            expired_change: AtomicU64::new(0),
            revalidation_permits: Semaphore::new(MAX_CONCURRENT_REVALIDATIONS),
            grants: Mutex::default(),
            counters: Arc::default(),
        }
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Rises before connections are told of a change. Who connects while it does is not sure to be told, and asks again.
    pub(crate) fn change_count(&self) -> u64 {
        self.change_count.load(Ordering::SeqCst)
    }

    pub(crate) fn record_change(&self) -> u64 {
        self.change_count.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// What counts what becomes of events.
    pub(crate) fn counters(&self) -> &Arc<CounterCells> {
        &self.counters
    }

    /// Grants come from here too.
    pub(crate) fn add_grant_cache(&self, cache: GrantCache<C::User>) {
        lock(&self.grants).push(cache);
    }

    /// What this object overwrites has changed.
    pub(crate) fn forget_object(&self, object: &ObjectKey) {
        lock(&self.grants).iter().for_each(|grants| grants.forget_object(object));
    }

    /// What everybody was granted has changed.
    pub(crate) fn forget_all(&self) {
        lock(&self.grants).iter().for_each(GrantCache::forget_all);
    }

    /// Waits for a turn to ask about a connection.
    pub(crate) async fn revalidation_permit(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.revalidation_permits.acquire().await.ok()
    }

    /// Whoever of that name is being let in at this moment is not to stay.
    pub(crate) fn record_disconnect(&self, user_id: &str) {
        let mut tombstones = lock(&self.tombstones);
        if tombstones.len() >= MAX_TOMBSTONES {
            // What is old mostly concerns nobody who is still at the door; whoever has been there for longer is sent away.
            let mut changes: Vec<u64> = tombstones.values().copied().collect();
            changes.sort_unstable();
            let expired = changes[changes.len() / 2];
            tombstones.retain(|_, change| *change > expired);
            self.expired_change.store(expired, Ordering::SeqCst);
        }
        tombstones.insert(user_id.to_owned(), self.record_change());
    }

    /// Whether who sits here was disconnected after the door began to ask.
    pub(crate) fn was_disconnected_since(&self, session: &Session<C>, changes_at_start: u64) -> bool {
        let Some(user_id) = session.user_id() else { return false };
        lock(&self.tombstones).get(user_id).is_some_and(|change| *change > changes_at_start)
    }

    /// Whether somebody may have been disconnected after the door began to ask, of whom nobody knows any more.
    pub(crate) fn tombstones_expired_since(&self, changes_at_start: u64) -> bool {
        self.expired_change.load(Ordering::SeqCst) > changes_at_start
    }

    pub(crate) fn sessions(&self) -> Vec<Arc<Session<C>>> {
        lock(&self.sessions).values().cloned().collect()
    }

    pub(crate) fn sessions_of_user(&self, user_id: &str) -> Vec<Arc<Session<C>>> {
        lock(&self.by_user).get(user_id).cloned().unwrap_or_default()
    }

    pub(crate) fn insert_session(&self, session: &Arc<Session<C>>) {
        lock(&self.sessions).insert(session.id, session.clone());
        self.index_by_user(session);
    }

    /// A user sits there, and is found from now on.
    pub(crate) fn index_by_user(&self, session: &Arc<Session<C>>) {
        let Some(user_id) = session.user_id() else { return };
        let mut by_user = lock(&self.by_user);
        // Fresh credentials may be looked at while their connection ends.
        if session.is_removed.load(Ordering::SeqCst) {
            return;
        }
        let sessions = by_user.entry(user_id.to_owned()).or_default();
        if !sessions.iter().any(|other| Arc::ptr_eq(other, session)) {
            sessions.push(session.clone());
        }
    }

    pub(crate) fn remove_session(&self, session: &Arc<Session<C>>) {
        lock(&self.sessions).remove(&session.id);
        let mut by_user = lock(&self.by_user);
        // Both are looked at under the lock: whoever is identified meanwhile is either found here or sees that it is over.
        session.is_removed.store(true, Ordering::SeqCst);
        let Some(user_id) = session.user_id() else { return };
        if let Some(sessions) = by_user.get_mut(user_id) {
            sessions.retain(|other| !Arc::ptr_eq(other, session));
            if sessions.is_empty() {
                by_user.remove(user_id);
            }
        }
    }
}
