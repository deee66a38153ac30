//! The objects about which something was evaluated for one connection, so that a change of an object's overwrites concerns
//! these connections only.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::fast::{FixedState, RandomState};

use super::object_key::ObjectKey;

/// The hashes of the keys. Two keys with one hash cause a revalidation that is not needed, nothing else.
#[derive(Default)]
pub(super) struct EvaluatedObjects {
    hashes: HashSet<u64, FixedState>,
    /// Whether there were more objects than are recorded.
    is_full: bool,
}

impl EvaluatedObjects {
    /// The number of objects that are recorded. With more, every object counts as evaluated.
    const MAX_OBJECTS: usize = 1024;

    pub(super) fn extend(&mut self, objects: &[ObjectKey]) {
        if self.is_full {
            return;
        }
        self.hashes.extend(objects.iter().map(hash));
        if self.hashes.len() > EvaluatedObjects::MAX_OBJECTS {
            *self = EvaluatedObjects { hashes: HashSet::default(), is_full: true };
        }
    }

    pub(super) fn contains(&self, object: &ObjectKey) -> bool {
        self.is_full || self.hashes.contains(&hash(object))
    }
}

fn hash(object: &ObjectKey) -> u64 {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::default);
    SEED.hash_one(object)
}

#[cfg(test)]
mod tests {
    use super::super::tests::fake_source::key;
    use super::*;

    #[test]
    fn objects_are_recorded_until_there_are_too_many() {
        let mut objects = EvaluatedObjects::default();
        (0..1024).for_each(|id| objects.extend(&[key(id)]));
        assert!((0..1024).all(|id| objects.contains(&key(id))) && !objects.contains(&key(5000)));
        objects.extend(&[key(1024)]);
        assert!(objects.contains(&key(5000)));
    }
}
