//! The grants of one session's user: the current snapshot, and when to load another one.

use std::sync::{Arc, Weak};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::cache::{GrantCache, MAX_OVERTAKEN_LOADS};
use super::codename::Codename;
use super::evaluated_objects::EvaluatedObjects;
use super::object_key::ObjectKey;
use super::seqlock::GrantBits;
use super::snapshot::GrantSnapshot;
use super::user_grants::UserGrants;
use super::user_load::UserLoad;
use crate::error::Result;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{ArcSwapOption, Mutex, lock};

/// The cached grants of one session's user.
///
/// `repr(C)`: the fields that most checks read come first and share a cache line.
#[repr(C)]
pub(crate) struct ConnectionGrants<U> {
    /// A copy of the first bits of the snapshot.
    bits: GrantBits,
    /// The time of the cache's clock at the latest [`forget`](ConnectionGrants::forget), at first that of the creation: no
    /// load that began before is used.
    connection_epoch: AtomicU64,
    cache: GrantCache<U>,
    snapshot: ArcSwapOption<GrantSnapshot>,
    /// Protects the load that the checks of this connection share, unless connections share it, and every write of
    /// `snapshot` and `bits`. No other lock is taken under it.
    load: Mutex<Weak<UserLoad>>,
    /// Protects the objects about which something was evaluated. Boxed, because there are mostly none. No other lock is taken
    /// under it.
    evaluated_objects: Mutex<Option<Box<EvaluatedObjects>>>,
}

impl<U> ConnectionGrants<U> {
    pub(crate) fn new(cache: GrantCache<U>) -> ConnectionGrants<U> {
        let snapshot = ArcSwapOption::empty();
        ConnectionGrants {
            connection_epoch: AtomicU64::new(cache.tick()),
            cache,
            snapshot,
            bits: GrantBits::new(),
            load: Mutex::default(),
            evaluated_objects: Mutex::default(),
        }
    }

    /// Evaluates a codename from cached grants. Returns `None` if they have to be loaded.
    #[inline]
    pub(crate) fn evaluate_cached(&self, codename: Codename) -> Option<bool> {
        if let Some(is_granted) = codename.index().and_then(|index| self.bits.get(index, self.epoch())) {
            return Some(is_granted);
        }
        let snapshot = self.snapshot.load();
        snapshot
            .as_ref()
            .filter(|snapshot| self.is_current(snapshot))
            .map(|snapshot| snapshot.user.grants.contains(codename))
    }

    /// Evaluates a codename for one object from cached grants. Returns `None` if something has to be loaded.
    #[inline]
    pub(crate) fn evaluate_cached_on(&self, codename: Codename, object: &ObjectKey) -> Option<bool> {
        let snapshot = self.snapshot.load();
        snapshot.as_ref().filter(|snapshot| self.is_current(snapshot))?.evaluate_cached(codename, object)
    }

    /// Returns whether the user may have a role: it is among the loaded roles, no roles were loaded, or nothing is cached.
    pub(crate) fn may_have_role(&self, role: &str) -> bool {
        match &*self.snapshot.load() {
            Some(snapshot) if self.is_current(snapshot) => {
                let roles = &snapshot.user.roles;
                roles.is_empty() || roles.iter().any(|known| known == role)
            }
            // Nothing is loaded, or a load is in progress.
            _ => true,
        }
    }

    /// Returns whether something may have been evaluated about this object.
    pub(crate) fn has_evaluated(&self, object: &ObjectKey) -> bool {
        lock(&self.evaluated_objects).as_ref().is_some_and(|objects| objects.contains(object))
    }

    /// Reads the cache line that most checks read, before it is needed.
    #[inline]
    pub(crate) fn prefetch(&self) -> u64 {
        self.connection_epoch.load(Ordering::Relaxed)
    }

    /// Invalidates the cached grants: the next check loads them again.
    pub(crate) fn forget(&self) {
        self.connection_epoch.fetch_max(self.cache.tick(), Ordering::SeqCst);
    }

    /// Returns whether nothing has been forgotten since the load of the snapshot started.
    #[inline]
    fn is_current(&self, snapshot: &GrantSnapshot) -> bool {
        snapshot.epoch == self.epoch()
    }

    /// Returns the epoch of the grants: the time of the cache's clock when they were last forgotten. Each change is at a time
    /// of its own, so the maximum changes with either.
    #[inline]
    fn epoch(&self) -> u64 {
        self.cache.epoch().max(self.connection_epoch.load(Ordering::SeqCst))
    }
}

impl<U: Send + Sync + 'static> ConnectionGrants<U> {
    /// Evaluates a codename, loading the grants if necessary.
    pub(crate) async fn evaluate(&self, user: &U, user_id: &str, codename: Codename) -> Result<bool> {
        match self.evaluate_cached(codename) {
            Some(is_granted) => Ok(is_granted),
            None => Ok(self.load_snapshot(user, user_id).await?.user.grants.contains(codename)),
        }
    }

    /// Evaluates a codename for all of these objects, loading what is missing.
    pub(crate) async fn evaluate_on(
        &self,
        user: &U,
        user_id: &str,
        codename: Codename,
        objects: &[ObjectKey],
    ) -> Result<bool> {
        // Recorded before the overwrites are read: a change that misses the record comes before they are loaded.
        lock(&self.evaluated_objects).get_or_insert_default().extend(objects);
        let mut overtaken = 0;
        loop {
            let snapshot = self.load_snapshot(user, user_id).await?;
            if let Some(is_granted) = snapshot.evaluate_cached_on_all(codename, objects) {
                return Ok(is_granted);
            }
            let entries = self.cache.load_entries(objects).await?;
            let are_current = entries.iter().all(|entry| !entry.is_stale());
            let mut grants =
                objects.iter().zip(entries).map(|(object, entry)| snapshot.cache_object(object, entry, user_id));
            let all = grants.try_fold(true, |all, grants| Some(all & grants?.contains(codename)));
            // Starts over if something was forgotten in the meantime.
            let is_usable = are_current && self.is_current(&snapshot) || overtaken == MAX_OVERTAKEN_LOADS;
            if let Some(all) = all.filter(|_| is_usable) {
                return Ok(all);
            }
            overtaken += 1;
        }
    }

    /// Loads the user's grants again, while checks use the current ones, and returns whether they have changed. Also loads
    /// the old ones of the overwrites that this connection has used, and returns the objects whose overwrites have changed
    /// and which no renewal has returned, whichever connection has found that.
    ///
    /// # Errors
    ///
    /// The error of the source.
    pub(crate) async fn find_changes(&self, user: &U, user_id: &str) -> Result<(bool, Vec<ObjectKey>)> {
        let mut has_changed = false;
        if let Some(snapshot) = self.snapshot.load_full() {
            // If the snapshot is not current, the next check loads the user's grants anyway.
            if self.is_current(&snapshot) {
                let required = self.cache.tick();
                let own_load = || UserLoad::join(&mut lock(&self.load), required);
                let loaded = self.cache.load_user(user, user_id, required, own_load).await?;
                has_changed = !loaded.is_same(&snapshot.user) && self.is_current(&snapshot);
            }
            // Also if the snapshot is not used any more: what it has allowed may still run.
            self.cache.load_entries(&snapshot.cached_objects()).await?;
        }
        Ok((has_changed, self.cache.take_changed_objects()))
    }

    /// Returns the current snapshot, loading it if necessary. A snapshot that is forgotten during its load is loaded again,
    /// but only so often. Boxed, because it is rare, and the futures of actions contain this one.
    fn load_snapshot<'a>(&'a self, user: &'a U, user_id: &'a str) -> BoxFuture<'a, Result<Arc<GrantSnapshot>>> {
        async move {
            let mut overtaken = 0;
            loop {
                if let Some(snapshot) = self.current_snapshot() {
                    return Ok(snapshot);
                }
                let epoch = self.epoch();
                let own_load = || UserLoad::join(&mut lock(&self.load), epoch);
                let user = self.cache.load_user(user, user_id, epoch, own_load).await?;
                let snapshot = self.store_snapshot(epoch, user);
                overtaken += 1;
                if self.is_current(&snapshot) || overtaken == MAX_OVERTAKEN_LOADS {
                    return Ok(snapshot);
                }
            }
        }
        .boxed()
    }

    /// Stores a snapshot, unless another check has stored one of this epoch already, and returns it.
    fn store_snapshot(&self, epoch: u64, user: Arc<UserGrants>) -> Arc<GrantSnapshot> {
        let _writing = lock(&self.load);
        if let Some(snapshot) = self.snapshot.load_full().filter(|snapshot| snapshot.epoch == epoch) {
            return snapshot;
        }
        let snapshot = Arc::new(GrantSnapshot::new(epoch, user));
        // A later load may have ended first.
        if self.is_current(&snapshot) {
            self.bits.copy(&snapshot.user.grants, epoch);
            self.snapshot.store(Some(snapshot.clone()));
        }
        snapshot
    }

    fn current_snapshot(&self) -> Option<Arc<GrantSnapshot>> {
        self.snapshot.load_full().filter(|snapshot| self.is_current(snapshot))
    }
}

#[cfg(test)]
mod tests;
