//! A user's grants as they were loaded, and what follows from them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::codename::Codename;
use super::grant_set::GrantSet;
use super::hash::Seed;
use super::loader::CachedOverwrites;
use super::object_key::ObjectKey;
use super::source::UserGrants;
use crate::sync::ignore_poison;

/// What the user may do with objects, for as long as what was loaded of them is true.
type ObjectOverwrites = HashMap<ObjectKey, (Arc<CachedOverwrites>, GrantSet), Seed>;

/// The user's grants, and what follows from them.
pub(super) struct GrantSnapshot {
    /// When the loading began. It is true for as long as the connection's stamp is the same.
    pub(super) stamp: u64,
    pub(super) user: UserGrants,
    objects: Mutex<ObjectOverwrites>,
}

impl GrantSnapshot {
    pub(super) fn new(stamp: u64, user: UserGrants) -> GrantSnapshot {
        GrantSnapshot { stamp, user, objects: Mutex::default() }
    }

    /// How many objects are kept.
    pub(super) const MOST: usize = 256;
    /// How long the text of an id may be. A client may choose it, and shall not choose how much is kept for it.
    const LONGEST: usize = 64;

    #[inline]
    pub(super) fn known(&self, codename: Codename, object: &ObjectKey) -> Option<bool> {
        if self.user.grants.is_all() {
            return Some(true);
        }
        let objects = self.objects();
        let (entry, grants) = objects.get(object)?;
        (!entry.is_stale()).then(|| grants.contains(codename))
    }

    /// The answer for all of these, if enough of it is known.
    pub(super) fn known_on_all(&self, codename: Codename, objects: &[ObjectKey]) -> Option<bool> {
        let mut all = Some(true);
        for object in objects {
            match self.known(codename, object) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    /// What the user may do with an object, kept for the next time. `None` where the object was forgotten since.
    pub(super) fn learn(&self, object: &ObjectKey, entry: Arc<CachedOverwrites>, user_id: &str) -> Option<GrantSet> {
        let grants = entry.current()?.apply(&self.user, user_id);
        if object.id().length() > GrantSnapshot::LONGEST {
            return Some(grants);
        }
        let mut objects = self.objects();
        if objects.len() >= GrantSnapshot::MOST {
            objects.clear();
        }
        objects.insert(object.clone(), (entry, grants.clone()));
        Some(grants)
    }

    fn objects(&self) -> MutexGuard<'_, ObjectOverwrites> {
        ignore_poison(self.objects.lock())
    }
}
