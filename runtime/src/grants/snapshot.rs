//! A user's grants as they were loaded, and what follows from them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::codename::Codename;
use super::grant_set::GrantSet;
use super::hash::Seed;
use super::loader::CachedOverwrites;
use super::object_key::ObjectKey;
use super::source::UserGrants;

/// What the user may do with objects, for as long as what was loaded of them is true.
type ObjectOverwrites = HashMap<ObjectKey, (Arc<CachedOverwrites>, GrantSet), Seed>;

/// The user's grants, and what follows from them.
pub(super) struct GrantSnapshot {
    /// When the loading began. It is true for as long as the connection's epoch is the same.
    pub(super) epoch: u64,
    pub(super) user: UserGrants,
    objects: Mutex<ObjectOverwrites>,
}

impl GrantSnapshot {
    pub(super) fn new(epoch: u64, user: UserGrants) -> GrantSnapshot {
        GrantSnapshot { epoch, user, objects: Mutex::default() }
    }

    /// How many objects are kept.
    pub(super) const MAX_OBJECTS: usize = 256;
    /// How long the text of an id may be. A client may choose it, and shall not choose how much is kept for it.
    const MAX_ID_BYTES: usize = 64;

    #[inline]
    pub(super) fn evaluate_cached(&self, codename: Codename, object: &ObjectKey) -> Option<bool> {
        if self.user.grants.is_all() {
            return Some(true);
        }
        let objects = self.lock_objects();
        let (entry, grants) = objects.get(object)?;
        (!entry.is_stale()).then(|| grants.contains(codename))
    }

    /// The answer for all of these, if enough of it is evaluate_cached.
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

    /// What the user may do with an object, kept for the next time. `None` where the object was forgotten since.
    pub(super) fn cache_object(
        &self,
        object: &ObjectKey,
        entry: Arc<CachedOverwrites>,
        user_id: &str,
    ) -> Option<GrantSet> {
        let grants = entry.current()?.apply(&self.user, user_id);
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

    fn lock_objects(&self) -> MutexGuard<'_, ObjectOverwrites> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
