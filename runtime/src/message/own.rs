//! What an action changes itself of what its caller may do.

use std::sync::{Arc, Mutex, PoisonError};

/// The epochs that an action has begun itself, or goes on to. Cloning gives another handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnEpochs(Arc<Mutex<Vec<u64>>>);

impl OwnEpochs {
    /// It has begun this one.
    pub(crate) fn add(&self, epoch: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(epoch);
    }

    /// Whether all that have begun since are its own, up to now. Those before are not asked for again.
    pub(crate) fn contains_all(&self, since: u64, now: u64) -> bool {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.retain(|epoch| *epoch > since);
        let own = own.iter().filter(|epoch| **epoch <= now).count();
        u64::try_from(own) == Ok(now.saturating_sub(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_somebody_else_s_is_seen_among_one_s_own() {
        let own = OwnEpochs::default();
        assert!(own.contains_all(3, 3) && !own.contains_all(3, 4));
        own.add(4);
        assert!(own.contains_all(3, 4) && !own.contains_all(3, 5));
        own.add(6);
        assert!(!own.contains_all(3, 6), "the fifth was not its own");
        assert!(own.contains_all(5, 6) && own.contains_all(6, 6) && !own.contains_all(6, 7));
    }
}
