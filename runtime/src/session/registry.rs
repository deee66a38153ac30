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
    pub(crate) kinds: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// Everybody who is connected, by the user's id.
    users: Mutex<HashMap<String, Vec<Arc<Session<C>>>>>,
    /// Everybody who is connected, strangers too.
    seats: Mutex<HashMap<u64, Arc<Session<C>>>>,
    ids: AtomicU64,
    /// How often what somebody may do has changed.
    changes: AtomicU64,
    /// Who was disconnected, and by which change.
    disconnected: Mutex<HashMap<String, u64>>,
    /// The last of those changes that was forgotten.
    forgotten: AtomicU64,
    /// Held while a connection is asked about again.
    turns: Semaphore,
    /// Where the grants come from; clones of an endpoint may have several.
    grants: Mutex<Vec<GrantCache<C::User>>>,
    pub(crate) counts: Arc<CounterCells>,
}

/// How many connections are asked about at once, so that a change for all does not storm the application's database.
const AT_ONCE: usize = 32;

/// How many who were disconnected are remembered.
const REMEMBERED: usize = 4096;

impl<C: Consumer> SessionRegistry<C> {
    pub(crate) fn new() -> SessionRegistry<C> {
        SessionRegistry {
            kinds: Mutex::default(),
            users: Mutex::default(),
            seats: Mutex::default(),
            ids: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            disconnected: Mutex::default(),
            forgotten: AtomicU64::new(0),
            turns: Semaphore::new(AT_ONCE),
            grants: Mutex::default(),
            counts: Arc::default(),
        }
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Rises before connections are told of a change. Who connects while it does is not sure to be told, and asks again.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    pub(crate) fn change(&self) -> u64 {
        self.changes.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// What counts what becomes of events.
    pub(crate) fn counts(&self) -> &Arc<CounterCells> {
        &self.counts
    }

    /// Grants come from here too.
    pub(crate) fn grant_from(&self, cache: GrantCache<C::User>) {
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
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.turns.acquire().await.ok()
    }

    /// Whoever of that name is being let in at this moment is not to stay.
    pub(crate) fn disconnect(&self, user_id: &str) {
        let mut disconnected = lock(&self.disconnected);
        if disconnected.len() >= REMEMBERED {
            // What is old mostly concerns nobody who is still at the door; whoever has been there for longer is sent away.
            let mut changes: Vec<u64> = disconnected.values().copied().collect();
            changes.sort_unstable();
            let old = changes[changes.len() / 2];
            disconnected.retain(|_, change| *change > old);
            self.forgotten.store(old, Ordering::SeqCst);
        }
        disconnected.insert(user_id.to_owned(), self.change());
    }

    /// Whether who sits here was disconnected after the door began to ask.
    pub(crate) fn is_disconnected(&self, seat: &Session<C>, asked_at: u64) -> bool {
        let Some(user) = seat.user_id() else { return false };
        lock(&self.disconnected).get(user).is_some_and(|change| *change > asked_at)
    }

    /// Whether somebody may have been disconnected after the door began to ask, of whom nobody knows any more.
    pub(crate) fn has_forgotten(&self, asked_at: u64) -> bool {
        self.forgotten.load(Ordering::SeqCst) > asked_at
    }

    pub(crate) fn seats(&self) -> Vec<Arc<Session<C>>> {
        lock(&self.seats).values().cloned().collect()
    }

    pub(crate) fn seats_of(&self, user_id: &str) -> Vec<Arc<Session<C>>> {
        lock(&self.users).get(user_id).cloned().unwrap_or_default()
    }

    pub(crate) fn arrived(&self, seat: &Arc<Session<C>>) {
        lock(&self.seats).insert(seat.id, seat.clone());
        self.identified(seat);
    }

    /// A user sits there, and is found from now on.
    pub(crate) fn identified(&self, seat: &Arc<Session<C>>) {
        let Some(user) = seat.user_id() else { return };
        let mut users = lock(&self.users);
        // Fresh credentials may be looked at while their connection ends.
        if seat.is_gone.load(Ordering::SeqCst) {
            return;
        }
        let seats = users.entry(user.to_owned()).or_default();
        if !seats.iter().any(|known| Arc::ptr_eq(known, seat)) {
            seats.push(seat.clone());
        }
    }

    pub(crate) fn departed(&self, seat: &Arc<Session<C>>) {
        lock(&self.seats).remove(&seat.id);
        let mut users = lock(&self.users);
        // Both are looked at under the lock: whoever is identified meanwhile is either found here or sees that it is over.
        seat.is_gone.store(true, Ordering::SeqCst);
        let Some(user) = seat.user_id() else { return };
        if let Some(seats) = users.get_mut(user) {
            seats.retain(|other| !Arc::ptr_eq(other, seat));
            if seats.is_empty() {
                users.remove(user);
            }
        }
    }
}
