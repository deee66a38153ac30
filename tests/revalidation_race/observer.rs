//! The counter that orders what happens, and when actions are marked as started.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::USERS;
use crate::common::start_observer::{StartObserver, number_of};

static CLOCK: AtomicU64 = AtomicU64::new(1);

/// When the actions of each user were marked as started.
static STARTS: [Mutex<Vec<u64>>; USERS] = [const { Mutex::new(Vec::new()) }; USERS];

/// Returns the time, and advances the clock.
pub(super) fn now() -> u64 {
    CLOCK.fetch_add(1, Ordering::SeqCst)
}

/// Installs the subscriber.
pub(super) fn observe() {
    tracing::subscriber::set_global_default(StartObserver(record_start)).unwrap();
}

fn record_start(route: &str) {
    if let Some(starts) = number_of(route, "desks/").and_then(|user| STARTS.get(user)) {
        starts.lock().unwrap().push(now());
    }
}

/// Takes the times at which actions of a user were marked as started.
pub(super) fn starts_of(user: usize) -> Vec<u64> {
    std::mem::take(&mut STARTS[user].lock().unwrap())
}
