//! Changes of rights that an action makes itself: it is not reauthorized for them.

use std::sync::{Arc, Mutex};

use crate::sync::ignore_poison;

/// The epochs of its session that an action has begun itself. Cloning returns another handle to the same list.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnEpochs(Arc<Mutex<Vec<u64>>>);

impl OwnEpochs {
    /// Adds an epoch that the action has begun.
    pub(crate) fn add(&self, epoch: u64) {
        ignore_poison(self.0.lock()).push(epoch);
    }

    /// Returns whether the action began every epoch after `since`, up to `now`. Epochs up to `since` are forgotten.
    pub(crate) fn are_all(&self, since: u64, now: u64) -> bool {
        let mut own = ignore_poison(self.0.lock());
        own.retain(|epoch| *epoch > since);
        let own = own.iter().filter(|epoch| **epoch <= now).count();
        u64::try_from(own) == Ok(now.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_epochs_with_a_foreign_epoch_between_are_not_all() {
        let own = OwnEpochs::default();
        assert!(own.are_all(3, 3) && !own.are_all(3, 4));
        own.add(4);
        assert!(own.are_all(3, 4) && !own.are_all(3, 5));
        own.add(6);
        assert!(!own.are_all(3, 6), "the fifth is not its own");
        assert!(own.are_all(5, 6) && own.are_all(6, 6) && !own.are_all(6, 7));
    }
}
