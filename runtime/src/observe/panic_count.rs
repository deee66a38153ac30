//! The number of panics of what an endpoint reports to.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::log::Cause;
use crate::panic::log_entry;

/// Counts the panics of an observer or a recorder, and logs when the number has doubled.
#[derive(Debug, Default)]
pub(super) struct PanicCount(AtomicU64);

impl PanicCount {
    #[cold]
    pub(super) fn record(&self, callee: &'static str, message: &str) {
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            log_entry!(ERROR, callee, count, cause = ?Cause::new(&message), "panic contained");
        }
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
