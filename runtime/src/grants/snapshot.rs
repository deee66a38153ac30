//! One load of a user's grants, with the object grants derived from it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use foldhash::fast::RandomState;

use super::cached_overwrites::CachedOverwrites;
use super::codename::Codename;
use super::grant_set::GrantSet;
use super::object_key::ObjectKey;
use super::user_grants::UserGrants;

use crate::sync::ignore_poison;

/// The user's grants per object, each with the overwrites that they were derived from.
///
/// Clients may choose the ids of objects. foldhash is seeded randomly per map, but does not claim to resist an attacker who
/// derives the seed, for example from timings. It suffices here because the map is bounded: if all keys collide, a lookup
/// compares `MAX_OBJECTS` ids of at most `MAX_ID_BYTES` bytes. The map of the loader has no such bound and keeps the hasher
/// of the standard library.
type ObjectOverwrites = HashMap<ObjectKey, (Arc<CachedOverwrites>, GrantSet), RandomState>;

/// One load of a user's grants, and the grants for objects that were derived from it.
pub(super) struct GrantSnapshot {
    /// The connection's epoch when the load started. The snapshot is current while the connection has the same epoch.
    pub(super) epoch: u64,
    /// Shared with the other connections that waited for the same load.
    pub(super) user: Arc<UserGrants>,
    /// Protects the cached object grants. No other lock is taken under it.
    objects: Mutex<ObjectOverwrites>,
}

impl GrantSnapshot {
    pub(super) fn new(epoch: u64, user: Arc<UserGrants>) -> GrantSnapshot {
        GrantSnapshot { epoch, user, objects: Mutex::default() }
    }

    /// Maximum number of cached objects. The cache is cleared when it is full.
    pub(super) const MAX_OBJECTS: usize = 256;
    /// Objects with a longer text id are not cached: clients may choose ids, and must not control the memory per entry.
    const MAX_ID_BYTES: usize = 64;

    /// Evaluates a codename for one object. Returns `None` if its overwrites are not cached or have been forgotten.
    #[inline]
    pub(super) fn evaluate_cached(&self, codename: Codename, object: &ObjectKey) -> Option<bool> {
        if self.user.grants.is_all() {
            return Some(true);
        }
        let objects = self.lock_objects();
        let (entry, grants) = objects.get(object)?;
        (!entry.is_stale()).then(|| grants.contains(codename))
    }

    /// Evaluates a codename for all of these objects. One cached denial decides; `None` if the cache does not suffice.
    pub(super) fn evaluate_cached_on_all(&self, codename: Codename, objects: &[ObjectKey]) -> Option<bool> {
        let mut all = Some(true);
        for object in objects {
            match self.evaluate_cached(codename, object) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    /// Derives and caches the user's grants for an object. Returns `None` if its overwrites are not loaded. If the object has
    /// been forgotten since it was loaded, the cached grants are not used.
    pub(super) fn cache_object(
        &self,
        object: &ObjectKey,
        entry: Arc<CachedOverwrites>,
        user_id: &str,
    ) -> Option<GrantSet> {
        let grants = entry.loaded()?.apply(&self.user, user_id);
        if object.id().heap_bytes() > GrantSnapshot::MAX_ID_BYTES {
            return Some(grants);
        }
        let mut objects = self.lock_objects();
        if objects.len() >= GrantSnapshot::MAX_OBJECTS {
            objects.clear();
        }
        objects.insert(object.clone(), (entry, grants.clone()));
        Some(grants)
    }

    /// Returns the cached objects that have not been forgotten.
    pub(super) fn cached_objects(&self) -> Vec<ObjectKey> {
        let objects = self.lock_objects();
        objects.iter().filter(|(_, (entry, _))| !entry.is_stale()).map(|(object, _)| object.clone()).collect()
    }

    fn lock_objects(&self) -> MutexGuard<'_, ObjectOverwrites> {
        ignore_poison(self.objects.lock())
    }
}
