//! What a rate limiter knows of its keys.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

use crate::sync::ignore_poison;

/// The state of each key of a limiter, and how many there are. Clones share them. Unlike the store of `governor`, it knows
/// its number of keys without a lock, and whether it has a key.
pub(super) struct KeyStates<K>(Arc<Inner<K>>);

struct Inner<K> {
    /// Protects when the allowance of each key is full again, and the number of keys. No lock is taken under it.
    by_key: Mutex<HashMap<K, Nanos>>,
    /// The number of keys, updated under the lock.
    count: AtomicUsize,
}

impl<K: Eq + Hash> KeyStates<K> {
    pub(super) fn new() -> KeyStates<K> {
        KeyStates(Arc::new(Inner { by_key: Mutex::default(), count: AtomicUsize::new(0) }))
    }

    pub(super) fn count(&self) -> usize {
        self.0.count.load(Ordering::Relaxed)
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.lock().contains_key(key)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Nanos>> {
        ignore_poison(self.0.by_key.lock())
    }
}

impl<K> Clone for KeyStates<K> {
    fn clone(&self) -> Self {
        KeyStates(self.0.clone())
    }
}

impl<K: Clone + Eq + Hash> StateStore for KeyStates<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut by_key = self.lock();
        if let Some(state) = by_key.get_mut(key) {
            let (outcome, next) = measure(Some(*state))?;
            *state = next;
            return Ok(outcome);
        }
        let (outcome, next) = measure(None)?;
        by_key.insert(key.clone(), next);
        self.0.count.store(by_key.len(), Ordering::Relaxed);
        Ok(outcome)
    }
}

impl<K: Clone + Eq + Hash> ShrinkableKeyedStateStore<K> for KeyStates<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        let mut by_key = self.lock();
        by_key.retain(|_, state| *state > drop_below);
        self.0.count.store(by_key.len(), Ordering::Relaxed);
    }

    fn shrink_to_fit(&self) {
        self.lock().shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.count()
    }

    fn is_empty(&self) -> bool {
        self.count() == 0
    }
}
