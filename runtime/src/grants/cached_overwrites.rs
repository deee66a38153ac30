//! The cached overwrites of one object.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::object_key::ObjectKey;
use super::overwrites::Overwrites;

/// The cached objects of one connection.
pub(super) type CachedObjects = Vec<(ObjectKey, Arc<CachedOverwrites>)>;

/// The overwrites of one object, once loaded. Holders of the `Arc` see when the object is forgotten.
#[derive(Default)]
pub(super) struct CachedOverwrites {
    overwrites: OnceLock<Overwrites>,
    is_stale: AtomicBool,
    /// When the overwrites were last known to be those of the source: the time since the cache was created, in milliseconds.
    /// Checks do not read it.
    renewed_at: AtomicU64,
}

impl CachedOverwrites {
    /// Returns the overwrites, or `None` if they are not loaded or the object has been forgotten.
    pub(super) fn current(&self) -> Option<&Overwrites> {
        self.overwrites.get().filter(|_| !self.is_stale())
    }

    /// Returns the overwrites, or `None` if they are not loaded. The object may have been forgotten.
    pub(super) fn loaded(&self) -> Option<&Overwrites> {
        self.overwrites.get()
    }

    #[inline]
    pub(super) fn is_stale(&self) -> bool {
        self.is_stale.load(Ordering::SeqCst)
    }

    /// Stores the overwrites if none are stored yet. They were loaded at `now`.
    pub(super) fn set(&self, overwrites: Overwrites, now: u64) {
        self.overwrites.get_or_init(|| overwrites);
        self.renewed_at.store(now, Ordering::Relaxed);
    }

    /// Returns whether the overwrites were loaded before `since`. Of several callers it is true for one only, which loads
    /// them at `now`.
    pub(super) fn claim_renewal(&self, since: u64, now: u64) -> bool {
        let renewed_at = self.renewed_at.load(Ordering::Relaxed);
        renewed_at <= since
            && self.renewed_at.compare_exchange(renewed_at, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Returns whether they were not renewed after `since`.
    pub(super) fn is_older_than(&self, since: u64) -> bool {
        self.renewed_at.load(Ordering::Relaxed) <= since
    }

    /// Gives up a renewal that failed, so that the next one loads them.
    pub(super) fn release_renewal(&self) {
        self.renewed_at.store(0, Ordering::Relaxed);
    }

    pub(super) fn forget(&self) {
        self.is_stale.store(true, Ordering::SeqCst);
    }
}
