//! What tests check of encodings: whether they are checked, and the encoding of each group key so far.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::Hash;

use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, lock};

/// The encoding checks of one endpoint. They begin with its first in-process client, so that a server that was only built
/// together with tests pays nothing.
#[derive(Default)]
pub(crate) struct EncodingChecks {
    is_enabled: AtomicBool,
    /// Protects the encodings: a `HashMap<G, Vec<u8>>` per group type. No other lock is taken under it.
    key_encodings: Mutex<HashMap<TypeId, Box<dyn Any + Send>>>,
}

impl EncodingChecks {
    pub(crate) fn enable(&self) {
        self.is_enabled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.is_enabled.load(Ordering::Relaxed)
    }

    /// Returns whether every equal key before this one had the same encoding.
    pub(crate) fn is_encoded_as_before<G>(&self, key: &G, encoding: Vec<u8>) -> bool
    where
        G: Clone + Eq + Hash + Send + 'static,
    {
        let mut tables = lock(&self.key_encodings);
        let table = tables.entry(TypeId::of::<G>()).or_insert_with(|| Box::new(HashMap::<G, Vec<u8>>::new()));
        // The entry under the id of `G` always has this type.
        let Some(table) = table.downcast_mut::<HashMap<G, Vec<u8>>>() else { return true };
        match table.get(key) {
            Some(earlier) => *earlier == encoding,
            None => table.insert(key.clone(), encoding).is_none(),
        }
    }
}
