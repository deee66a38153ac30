//! How much one connection may have replayed to it at a time. Replayed events are not subject to the overflow policy, so their
//! memory is bounded here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The size of all encoded events that wait to be replayed to one connection, in bytes.
const MAX_REPLAYED_BYTES: usize = 8 * 1024 * 1024;

/// The number of these events: twice the longest history.
const MAX_REPLAYED_EVENTS: usize = 20_000;

/// The replayed events of one connection that it has not had yet.
#[derive(Debug, Default)]
pub(crate) struct ReplayBudget {
    bytes: AtomicUsize,
    events: AtomicUsize,
}

/// A replayed event, which counts until this is dropped.
#[derive(Debug)]
pub(crate) struct ReplayPermit {
    budget: Arc<ReplayBudget>,
    bytes: usize,
}

impl ReplayBudget {
    /// Adds an event of this size. `None` if there are too many.
    pub(crate) fn acquire(self: &Arc<Self>, bytes: usize) -> Option<ReplayPermit> {
        self.events.fetch_add(1, Ordering::Relaxed);
        let mut permit = ReplayPermit { budget: self.clone(), bytes: 0 };
        let added = |total: usize| total.checked_add(bytes).filter(|total| *total <= MAX_REPLAYED_BYTES);
        self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added).ok()?;
        permit.bytes = bytes;
        (self.events() <= MAX_REPLAYED_EVENTS).then_some(permit)
    }

    /// Returns the number of events.
    pub(super) fn events(&self) -> usize {
        self.events.load(Ordering::Relaxed)
    }
}

impl Drop for ReplayPermit {
    fn drop(&mut self) {
        self.budget.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.budget.events.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_count_until_they_are_dropped() {
        let budget: Arc<ReplayBudget> = Arc::default();
        let first = budget.acquire(MAX_REPLAYED_BYTES - 10).unwrap();
        let second = budget.acquire(10).unwrap();
        assert!(budget.acquire(1).is_none() && budget.acquire(usize::MAX).is_none());
        assert_eq!(budget.events(), 2);
        drop(second);
        assert_eq!(budget.events(), 1);
        drop((budget.acquire(10).unwrap(), first));
        drop(budget.acquire(MAX_REPLAYED_BYTES).unwrap());
        let mut permits: Vec<_> = (0..MAX_REPLAYED_EVENTS).map(|_| budget.acquire(0).unwrap()).collect();
        assert!(budget.acquire(0).is_none());
        permits.pop();
        assert!(budget.acquire(0).is_some());
    }
}
