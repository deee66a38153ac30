//! The epoch of a session's rights, and the epochs that an action begins itself.

use std::sync::{Arc, Mutex};

use crate::sync::ignore_poison;

/// The version of a session's rights. It begins at zero, and each change of the rights begins the next one. What was
/// evaluated in one epoch holds in no other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Epoch(pub(super) u64);

impl Epoch {
    /// Returns how many epochs have begun after `earlier`, up to this one.
    fn count_since(self, earlier: Epoch) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// The epochs of its session that an action has begun itself. It is not reauthorized for them. Cloning returns another handle to the same list.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnEpochs(Arc<Mutex<Vec<Epoch>>>);

impl OwnEpochs {
    /// Adds an epoch that the action has begun.
    pub(crate) fn add(&self, epoch: Epoch) {
        ignore_poison(self.0.lock()).push(epoch);
    }

    /// Returns whether the action began every epoch after `since`, up to `now`. Epochs up to `since` are forgotten.
    pub(crate) fn are_all(&self, since: Epoch, now: Epoch) -> bool {
        let mut own = ignore_poison(self.0.lock());
        own.retain(|epoch| *epoch > since);
        let own = own.iter().filter(|epoch| **epoch <= now).count();
        u64::try_from(own) == Ok(now.count_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_epochs_with_a_foreign_epoch_between_are_not_all() {
        let own = OwnEpochs::default();
        let are_all = |since, now| own.are_all(Epoch(since), Epoch(now));
        assert!(are_all(3, 3) && !are_all(3, 4));
        own.add(Epoch(4));
        assert!(are_all(3, 4) && !are_all(3, 5));
        own.add(Epoch(6));
        assert!(!are_all(3, 6), "the fifth is not its own");
        assert!(are_all(5, 6) && are_all(6, 6) && !are_all(6, 7));
    }
}
