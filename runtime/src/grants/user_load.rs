//! One load of a user's grants, which several checks may wait for: those of one connection, or of all connections whose users
//! have the same [`coalesce_key`](super::GrantSource::coalesce_key).

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use super::user_grants::UserGrants;
use crate::error::Error;
use crate::sync::atomic::{AtomicU64, Ordering};

/// A load that is waiting for its turn or in progress. The waiter that polls first drives it; if that one is cancelled,
/// another one starts over. Errors are shared too, but no check that comes later gets them.
pub(super) struct UserLoad {
    /// What the cache's clock showed before the source was called. 0 until then.
    began_at: AtomicU64,
    created_at: Instant,
    outcome: OnceCell<LoadOutcome>,
}

/// The result of a load.
#[derive(Clone)]
pub(super) struct LoadOutcome {
    /// What the cache's clock showed before the source was called.
    pub(super) began_at: u64,
    pub(super) result: Result<Arc<UserGrants>, Arc<Error>>,
}

impl UserLoad {
    /// The time from the creation of a load in which further checks may wait for it. After that the load is assumed to hang.
    const JOIN_WINDOW: Duration = Duration::from_secs(5);

    fn new() -> UserLoad {
        UserLoad { began_at: AtomicU64::new(0), created_at: Instant::now(), outcome: OnceCell::new() }
    }

    /// Returns the load in `slot`, or puts a new one there if that one has begun before `required`, has ended or seems to
    /// hang.
    pub(super) fn join(slot: &mut Weak<UserLoad>, required: u64) -> Arc<UserLoad> {
        if let Some(load) = slot.upgrade()
            && load.may_serve(required)
        {
            return load;
        }
        let load = Arc::new(UserLoad::new());
        *slot = Arc::downgrade(&load);
        load
    }

    fn may_serve(&self, required: u64) -> bool {
        // One that begins in this moment may have read the clock before: the waiter compares again.
        let began_at = self.began_at.load(Ordering::SeqCst);
        (began_at == 0 || began_at >= required)
            && !self.outcome.initialized()
            && self.created_at.elapsed() <= UserLoad::JOIN_WINDOW
    }

    /// Waits for the outcome. `load` is polled unless another waiter drives the load already; it calls its argument with what
    /// the clock shows before it calls the source.
    pub(super) async fn wait<F: Future<Output = LoadOutcome>>(&self, load: impl FnOnce() -> F) -> LoadOutcome {
        self.outcome.get_or_init(load).await.clone()
    }

    /// Records what the cache's clock showed before the source was called.
    pub(super) fn begin(&self, clock: u64) {
        self.began_at.store(clock, Ordering::SeqCst);
    }
}

/// The loads that connections share, by coalescing key.
#[derive(Default)]
pub(super) struct SharedLoads {
    slots: HashMap<Box<str>, Weak<UserLoad>>,
    /// Number of slots at which those of ended loads are pruned.
    prune_at: usize,
}

impl SharedLoads {
    /// With fewer slots pruning is not worth a pass.
    const MIN_PRUNE_SLOTS: usize = 64;

    /// See [`UserLoad::join`].
    pub(super) fn join(&mut self, key: &str, required: u64) -> Arc<UserLoad> {
        if let Some(slot) = self.slots.get_mut(key) {
            return UserLoad::join(slot, required);
        }
        if self.slots.len() >= self.prune_at {
            self.slots.retain(|_, load| load.strong_count() > 0);
            self.prune_at = SharedLoads::MIN_PRUNE_SLOTS.max(self.slots.len() * 2);
        }
        UserLoad::join(self.slots.entry(key.into()).or_default(), required)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_is_joined_unless_it_began_before_the_last_raise() {
        let mut loads = SharedLoads::default();
        let load = loads.join("a", 5);
        assert!(Arc::ptr_eq(&load, &loads.join("a", 9)));
        load.begin(7);
        assert!(Arc::ptr_eq(&load, &loads.join("a", 7)));
        assert!(!Arc::ptr_eq(&load, &loads.join("b", 7)));
        assert!(!Arc::ptr_eq(&load, &loads.join("a", 8)));
    }

    #[test]
    fn slots_of_ended_loads_are_pruned() {
        let mut loads = SharedLoads::default();
        let running = loads.join("running", 1);
        for number in 0..1000 {
            drop(loads.join(&number.to_string(), 1));
            assert!(loads.slots.len() <= 1 + 2 * SharedLoads::MIN_PRUNE_SLOTS, "{}", loads.slots.len());
        }
        assert!(Arc::ptr_eq(&running, &loads.join("running", 1)));
    }
}
