//! The cached overwrites of one object.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::overwrites::Overwrites;

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

    /// Stores the overwrites if none are stored yet. They were loaded at `now`. Returns false if others are stored that are
    /// not newer.
    pub(super) fn renew(&self, overwrites: &Overwrites, now: u64) -> bool {
        let is_same = self.overwrites.get_or_init(|| overwrites.clone()) == overwrites;
        if is_same {
            self.renewed_at.fetch_max(now, Ordering::Relaxed);
        }
        is_same || self.renewed_at.load(Ordering::Relaxed) > now
    }

    /// Returns whether they were not renewed after `since`.
    pub(super) fn is_older_than(&self, since: u64) -> bool {
        self.renewed_at.load(Ordering::Relaxed) <= since
    }

    pub(super) fn forget(&self) {
        self.is_stale.store(true, Ordering::SeqCst);
    }
}
