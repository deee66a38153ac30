//! The epochs of a session that the running action caused itself.

use std::sync::{Arc, Mutex};

use crate::sync::ignore_poison;

/// The epochs that an action started itself. It may add more as long as it runs. A clone is a handle to the same set.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnEpochs(Arc<Mutex<Vec<u64>>>);

impl OwnEpochs {
    /// Adds an epoch.
    pub(crate) fn add(&self, epoch: u64) {
        ignore_poison(self.0.lock()).push(epoch);
    }

    /// Returns whether the action caused all epochs after `since` up to `now`.
    ///
    /// Epochs up to `since` are removed, so `since` must not decrease from one call to the next.
    pub(crate) fn contains_all(&self, since: u64, now: u64) -> bool {
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
    fn own_epochs_contains_all_with_a_foreign_epoch_is_false() {
        let own = OwnEpochs::default();
        assert!(own.contains_all(3, 3) && !own.contains_all(3, 4));
        own.add(4);
        assert!(own.contains_all(3, 4) && !own.contains_all(3, 5));
        own.add(6);
        assert!(!own.contains_all(3, 6), "epoch 5 is not its own");
        assert!(own.contains_all(5, 6) && own.contains_all(6, 6) && !own.contains_all(6, 7));
    }
}
