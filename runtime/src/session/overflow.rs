//! The overflow policy: what happens when a send queue is full.

use std::collections::{HashSet, VecDeque};

/// What happens when a connection's send queue exceeds [`Limits::max_queued_events`](crate::Limits::max_queued_events) or
/// [`Limits::max_queued_bytes`](crate::Limits::max_queued_bytes).
///
/// Set by [`Endpoint::overflow_policy`](crate::Endpoint::overflow_policy). [`EventCounters`](crate::EventCounters) counts
/// the dropped events and the closed connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OverflowPolicy {
    /// Closes the connection with 1013. The client reconnects later and loads what it missed. This is the default.
    #[default]
    Close,
    /// Drops the oldest queued event.
    DropOldest,
    /// Coalesces: drops queued events that a newer one supersedes, which has the same type, group and `#[event(key = ..)]`.
    /// If there is none, the connection is closed with 1013.
    KeepNewest,
}

/// What identifies queued events that supersede each other.
pub(crate) trait Coalesce {
    /// Returns the coalescing key: the event's type and key, and the address of its delivery path. Of two events with the
    /// same key the newer supersedes the older. `None` if the event supersedes no other.
    fn coalescing_key(&self) -> Option<(u64, usize)>;
}

/// Removes and returns superseded events: one older event with the key of the newest event, or else every event that a
/// newer one supersedes.
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
