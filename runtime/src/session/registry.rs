//! The sessions, of type `S`, and the groups of one endpoint on this machine.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::drain_state::DrainState;
#[cfg(feature = "testing")]
use super::encoding_checks::EncodingChecks;
use super::flusher::Flusher;
use super::lingering::LingeringSessions;
use super::pending_raises::{PendingRaise, PendingRaises};
use super::renewal_schedule::RenewalSchedule;
use crate::broker::{Node, Partition, PartitionHold, PartitionSet};
use crate::context::{ActionRates, ConnectionId};
use crate::grants::{GrantCache, ObjectKey};
use crate::observe::Telemetry;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Mutex, Turns, lock};

/// The session registry of one endpoint, named [`SessionRegistry`](super::SessionRegistry) with its type of sessions.
pub(crate) struct Registry<U, S> {
    /// Protects the tables of groups: an `Arc<GroupTable<G>>` per group type. Lock order: after `Memberships::list`; no
    /// lock is taken under it.
    pub(crate) groups: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// What connects the endpoint to other machines. Set while the endpoint is built, if it has a broker.
    pub(crate) node: OnceLock<Arc<Node>>,
    /// The users of other machines. Set while the endpoint is built, if it has a broker and loads them.
    pub(crate) remote_users: OnceLock<Arc<dyn RemoteUserCache>>,
    /// Protects the index of sessions by user id. Lock order: before `sessions`.
    by_user: Mutex<HashMap<String, UserSessions<S>>>,
    /// Protects the index of sessions by session id, anonymous ones included. No other lock is taken under it.
    sessions: Mutex<HashMap<ConnectionId, Arc<S>>>,
    /// The number of changes of rights so far.
    change_count: AtomicU64,
    /// Protects the tombstones of users and connections that were disconnected. They close connections whose handshake was
    /// in progress. No other lock is taken under it.
    tombstones: Mutex<HashMap<Disconnected, Tombstone>>,
    /// The number of the latest change whose tombstone was evicted.
    expired_change: AtomicU64,
    /// The changes of rights that wait for evaluations.
    pub(crate) pending_raises: PendingRaises<PendingRaise<S>>,
    /// When the rights of sessions are renewed.
    pub(super) renewals: RenewalSchedule,
    /// Counts the calls of actions that have a rate.
    pub(super) action_rates: ActionRates,
    /// Bounds how many sessions evaluate their connect permission at the same time, one per user. The keys are user ids; each
    /// anonymous session has a key of its own.
    pub(super) revalidation_turns: Arc<Turns<String>>,
    /// Bounds how many group permissions are evaluated at the same time. The keys are those of `Membership::group_id`.
    pub(super) group_turns: Arc<Turns<usize>>,
    /// Protects the list of grant caches; clones of an endpoint may have different ones. Lock order: before the locks of
    /// the caches.
    grants: Mutex<Vec<GrantCache<U>>>,
    pub(crate) telemetry: Arc<Telemetry>,
    #[cfg(feature = "testing")]
    pub(crate) encoding_checks: EncodingChecks,
    pub(super) lingering: LingeringSessions<S>,
    /// Counts the connections, and closes them before the server is stopped.
    pub(crate) drain: DrainState,
    /// Delivers events to connections whose tasks are parked.
    pub(super) flusher: Flusher,
}

/// The users of other machines that the application has loaded, as far as changes of rights concern them. Implemented in
/// `pubsub/remote_users.rs`.
pub(crate) trait RemoteUserCache: Any + Send + Sync {
    /// Hides a user until it is loaded again.
    fn forget_user(&self, user_id: &str);
    /// Hides all users until they are loaded again.
    fn forget_all(&self);
}

/// The sessions of one user.
struct UserSessions<S> {
    sessions: Vec<Arc<S>>,
    /// Receives the events of other machines for the user. `None` without a broker.
    hold: Option<PartitionHold>,
}

/// The connections that a call has disconnected.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Disconnected {
    /// All connections of a user, by its id.
    User(String),
    Connection(ConnectionId),
}

/// Records when the connections of a user, or one connection, were disconnected.
struct Tombstone {
    /// The number of the latest change that has disconnected them.
    change: u64,
    /// The connection that this change has kept, with the latest change before that has disconnected it, or 0.
    kept: Option<(ConnectionId, u64)>,
}

impl Tombstone {
    /// Returns the latest change that has disconnected the connection `id`, or 0.
    fn change_for(&self, id: ConnectionId) -> u64 {
        match self.kept {
            Some((kept, change)) if kept == id => change,
            _ => self.change,
        }
    }
}

/// The number of sessions that revalidate at the same time. It bounds the load on the database when a change concerns all.
const MAX_CONCURRENT_REVALIDATIONS: usize = 32;

/// The number of sessions for which the permission of one group is evaluated at the same time. Below the number for all
/// groups, so that one whose check hangs leaves turns to the others.
const MAX_CONCURRENT_CHECKS_PER_GROUP: usize = 16;

/// The number of tombstones that are kept.
const MAX_TOMBSTONES: usize = 4096;

impl<U, S> Registry<U, S> {
    /// Creates the registry of an endpoint whose actions have these rates.
    pub(crate) fn new(telemetry: Arc<Telemetry>, action_rates: ActionRates) -> Registry<U, S> {
        Registry {
            action_rates,
            groups: Mutex::default(),
            node: OnceLock::new(),
            remote_users: OnceLock::new(),
            by_user: Mutex::default(),
            sessions: Mutex::default(),
            change_count: AtomicU64::new(0),
            tombstones: Mutex::default(),
            expired_change: AtomicU64::new(0),
            pending_raises: PendingRaises::new(),
            renewals: RenewalSchedule::default(),
            revalidation_turns: Turns::new(MAX_CONCURRENT_REVALIDATIONS, 1),
            group_turns: Turns::new(MAX_CONCURRENT_REVALIDATIONS, MAX_CONCURRENT_CHECKS_PER_GROUP),
            grants: Mutex::default(),
            telemetry,
            #[cfg(feature = "testing")]
            encoding_checks: EncodingChecks::default(),
            lingering: LingeringSessions::new(),
            drain: DrainState::new(),
            flusher: Flusher::new(),
        }
    }

    /// Returns the value of this type that is kept with the groups. The first call creates it.
    pub(crate) fn attachment<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut groups = lock(&self.groups);
        let attachment = groups.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        // The entry under the id of `T` is always a `T`.
        attachment.clone().downcast().unwrap_or_default()
    }

    /// Evaluates everything anew if the lease of this machine has ended, see [`Node::enforce_lease`].
    #[inline]
    pub(crate) fn enforce_lease(&self) {
        if let Some(node) = self.node.get() {
            node.enforce_lease();
        }
    }

    /// Returns the number of changes of rights so far. It rises before sessions are revalidated: a handshake during which
    /// it has risen may have been missed by a change, so its session revalidates.
    pub(crate) fn change_count(&self) -> u64 {
        self.change_count.load(Ordering::SeqCst)
    }

    /// Counts a change of rights and returns its number.
    pub(crate) fn record_change(&self) -> u64 {
        self.change_count.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Adds a grant cache that changes of rights invalidate, unless it is known.
    pub(crate) fn add_grant_cache(&self, cache: GrantCache<U>) {
        let mut caches = lock(&self.grants);
        if !caches.iter().any(|known| known.is_same(&cache)) {
            caches.push(cache);
        }
    }

    /// Returns the grant caches.
    pub(crate) fn grant_caches(&self) -> Vec<GrantCache<U>> {
        lock(&self.grants).clone()
    }

    /// Invalidates the overwrites of `object` in every grant cache.
    pub(crate) fn forget_object(&self, object: &ObjectKey) {
        lock(&self.grants).iter().for_each(|grants| grants.forget_object(object));
    }

    /// Invalidates every grant cache.
    pub(crate) fn forget_all(&self) {
        lock(&self.grants).iter().for_each(GrantCache::forget_all);
    }

    /// Records a tombstone, so that the connections are closed whose handshake is in progress, except the connection `kept`.
    pub(crate) fn record_disconnect(&self, disconnected: Disconnected, kept: Option<ConnectionId>) {
        let mut tombstones = lock(&self.tombstones);
        if tombstones.len() >= MAX_TOMBSTONES {
            // Evicts the older half. Handshakes that began before an evicted change are closed by
            // [`tombstones_expired_since`](Self::tombstones_expired_since); few take that long.
            let mut changes: Vec<u64> = tombstones.values().map(|tombstone| tombstone.change).collect();
            changes.sort_unstable();
            let expired = changes[changes.len() / 2];
            tombstones.retain(|_, tombstone| tombstone.change > expired);
            self.expired_change.store(expired, Ordering::SeqCst);
        }
        let previous_change = |id| tombstones.get(&disconnected).map_or(0, |tombstone| tombstone.change_for(id));
        let kept = kept.map(|id| (id, previous_change(id)));
        tombstones.insert(disconnected, Tombstone { change: self.record_change(), kept });
    }

    /// Records that the connections are closed whose handshake is in progress, because any of them may have been disconnected.
    pub(crate) fn record_missed_disconnects(&self) {
        let mut tombstones = lock(&self.tombstones);
        tombstones.clear();
        self.expired_change.store(self.record_change(), Ordering::SeqCst);
    }

    /// Returns whether a session or its user was disconnected after change number `changes_at_start`, which was the latest
    /// when the handshake began.
    pub(crate) fn was_disconnected_since(
        &self,
        id: ConnectionId,
        user_id: Option<&str>,
        changes_at_start: u64,
    ) -> bool {
        let user = user_id.map(|user_id| Disconnected::User(user_id.to_owned()));
        let tombstones = lock(&self.tombstones);
        let is_later =
            |of: Disconnected| tombstones.get(&of).is_some_and(|tombstone| tombstone.change_for(id) > changes_at_start);
        is_later(Disconnected::Connection(id)) || user.is_some_and(is_later)
    }

    /// Returns whether a tombstone later than change number `changes_at_start` was evicted, so that a disconnect may have
    /// been missed.
    pub(crate) fn tombstones_expired_since(&self, changes_at_start: u64) -> bool {
        self.expired_change.load(Ordering::SeqCst) > changes_at_start
    }

    /// Returns a snapshot of all sessions.
    pub(crate) fn sessions(&self) -> Vec<Arc<S>> {
        lock(&self.sessions).values().cloned().collect()
    }

    /// Returns a snapshot of the ids of all sessions.
    pub(crate) fn connection_ids(&self) -> Vec<ConnectionId> {
        lock(&self.sessions).keys().copied().collect()
    }

    /// Returns the session with this id, unless it has ended or its handshake is in progress.
    pub(crate) fn session(&self, id: ConnectionId) -> Option<Arc<S>> {
        lock(&self.sessions).get(&id).cloned()
    }

    /// Returns any session, if there is one.
    pub(crate) fn any_session(&self) -> Option<Arc<S>> {
        lock(&self.sessions).values().next().cloned()
    }

    /// Returns the ids of the users with a session whose personal events are published to one of these partitions.
    pub(crate) fn list_users(&self, partitions: PartitionSet) -> Vec<String> {
        let is_in =
            |user: &UserSessions<S>| user.hold.as_ref().is_some_and(|hold| partitions.contains(hold.partition()));
        lock(&self.by_user).iter().filter(|(_, user)| is_in(user)).map(|(id, _)| id.clone()).collect()
    }

    /// Returns a snapshot of the sessions of one user.
    pub(crate) fn sessions_of_user(&self, user_id: &str) -> Vec<Arc<S>> {
        lock(&self.by_user).get(user_id).map(|user| user.sessions.clone()).unwrap_or_default()
    }

    /// Adds a session with its id and that of its user, which is not set if the session is anonymous.
    pub(crate) fn insert_session(&self, id: ConnectionId, user_id: &OnceLock<String>, session: &Arc<S>) {
        lock(&self.sessions).insert(id, session.clone());
        self.index_by_user(id, user_id, session);
    }

    /// Indexes a session by its user id, if that is set and the session has not been removed.
    pub(crate) fn index_by_user(&self, id: ConnectionId, user_id: &OnceLock<String>, session: &Arc<S>) {
        let Some(user_id) = user_id.get() else { return };
        let mut by_user = lock(&self.by_user);
        // A client may re-authenticate while its connection ends. Compared under the lock of the index, so that a
        // concurrent `remove_session` either undoes what follows or is seen here.
        if !lock(&self.sessions).contains_key(&id) {
            return;
        }
        let UserSessions { sessions, .. } = by_user.entry(user_id.clone()).or_insert_with(|| {
            let hold = self.node.get().map(|node| node.hold(Partition::of_user(user_id)));
            UserSessions { sessions: Vec::new(), hold }
        });
        if !sessions.iter().any(|other| Arc::ptr_eq(other, session)) {
            sessions.push(session.clone());
            self.telemetry.authenticated.increment();
        }
    }

    /// Removes a session. Returns whether it counts as authenticated.
    pub(crate) fn remove_session(&self, id: ConnectionId, user_id: &OnceLock<String>, session: &Arc<S>) -> bool {
        lock(&self.sessions).remove(&id);
        let mut by_user = lock(&self.by_user);
        // Read after the removal above, because re-authentication may set it meanwhile.
        let Some(user_id) = user_id.get() else { return false };
        let Some(UserSessions { sessions, .. }) = by_user.get_mut(user_id) else { return false };
        let index = sessions.iter().position(|other| Arc::ptr_eq(other, session));
        if let Some(index) = index {
            sessions.remove(index);
        }
        if sessions.is_empty() {
            by_user.remove(user_id);
        }
        index.is_some()
    }
}
