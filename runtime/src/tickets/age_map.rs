//! A map that knows its oldest entry.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use tokio::time::Instant;

/// A map whose entries are ordered by the time at which they were inserted.
pub(super) struct AgeMap<K, V> {
    entries: HashMap<K, (u64, V)>,
    /// The key and the time of each entry, by a number that rises with each insertion.
    order: BTreeMap<u64, (Instant, K)>,
    next_number: u64,
}

impl<K: Hash + Eq + Clone, V> AgeMap<K, V> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    /// Inserts an entry, in place of one with the same key.
    pub(super) fn insert(&mut self, key: K, value: V) {
        self.remove(&key);
        self.order.insert(self.next_number, (Instant::now(), key.clone()));
        self.entries.insert(key, (self.next_number, value));
        self.next_number += 1;
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        let (number, value) = self.entries.remove(key)?;
        self.order.remove(&number);
        Some(value)
    }

    /// Returns the time at which the oldest entry was inserted.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.order.first_key_value().map(|(_, (inserted_at, _))| *inserted_at)
    }

    pub(super) fn pop_oldest(&mut self) -> Option<(K, V)> {
        let (_, (_, key)) = self.order.pop_first()?;
        let (_, value) = self.entries.remove(&key)?;
        Some((key, value))
    }
}

impl<K, V> Default for AgeMap<K, V> {
    fn default() -> AgeMap<K, V> {
        AgeMap { entries: HashMap::new(), order: BTreeMap::new(), next_number: 0 }
    }
}
