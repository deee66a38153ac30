//! What is given up where more events wait for a connection than may.

use std::collections::{HashSet, VecDeque};

/// What happens to a connection for which more events wait than [`Limits::max_queued_events`](crate::Limits::max_queued_events) and
/// [`Limits::max_queued_bytes`](crate::Limits::max_queued_bytes) allow. [`EventCounters`](crate::Counters) tell how often it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OverflowPolicy {
    /// It is closed with 1013: come back later, and ask for what was missed. The default.
    #[default]
    Close,
    /// The event that has waited longest is dropped.
    DropOldest,
    /// Events are dropped that a newer one stands for: one of the same type and group, with the same
    /// `#[event(key = ..)]`. Where none is, the connection is closed with 1013.
    KeepNewest,
}

/// What is kept to ask about an event again.
pub(crate) trait Coalesce {
    /// What the event is about, and the way that it came by: of two that are the same the newer stands for both. `None`: it
    /// stands for itself alone.
    fn coalescing_key(&self) -> Option<(u64, usize)>;
}

/// Takes out what something newer in the queue stands for: what the newest of all does, else whatever there is.
pub(crate) fn take_superseded<T>(queue: &mut VecDeque<T>, key: impl Fn(&T) -> Option<(u64, usize)>) -> Vec<T> {
    let newest_key = queue.back().and_then(&key);
    let older_count = queue.len().saturating_sub(1);
    let superseded_index = newest_key
        .and_then(|newest_key| queue.iter().take(older_count).position(|older| key(older) == Some(newest_key)));
    if let Some(event) = superseded_index.and_then(|index| queue.remove(index)) {
        return vec![event];
    }
    let mut seen_keys = HashSet::new();
    let (mut remaining, mut superseded) = (VecDeque::with_capacity(queue.len()), Vec::new());
    while let Some(event) = queue.pop_back() {
        match key(&event) {
            Some(key) if !seen_keys.insert(key) => superseded.push(event),
            _ => remaining.push_front(event),
        }
    }
    *queue = remaining;
    superseded
}
