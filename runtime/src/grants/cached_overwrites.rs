//! The cached overwrites of one object.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::overwrites::Overwrites;

/// The overwrites of one object, once loaded. Holders of the `Arc` see when the object is forgotten.
#[derive(Default)]
pub(super) struct CachedOverwrites {
    overwrites: OnceLock<Overwrites>,
    is_stale: AtomicBool,
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

    /// Stores the overwrites if none are stored yet.
    pub(super) fn set(&self, overwrites: Overwrites) {
        self.overwrites.get_or_init(|| overwrites);
    }

    pub(super) fn forget(&self) {
        self.is_stale.store(true, Ordering::SeqCst);
    }
}
