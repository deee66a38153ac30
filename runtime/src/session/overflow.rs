//! The overflow policy: what happens when a send queue is full. `queue_state.rs` applies it to queued events, and
//! `deferral.rs` to those that wait.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

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
    /// Returns the coalescing key, which includes the event's type and its delivery path. Of two events with equal keys the
    /// newer supersedes the older. `None` if the event supersedes no other.
    fn coalescing_key(&self) -> Option<impl Eq + Hash>;
}

/// Removes and returns superseded events: one older event with the key of the newest event, or else every event that a
/// newer one supersedes. `handle` returns the part of an entry that has the key.
pub(crate) fn take_superseded<T, N: Coalesce>(queue: &mut VecDeque<T>, handle: impl Fn(&T) -> &N) -> Vec<T> {
    let older_count = queue.len().saturating_sub(1);
    let newest_key = queue.back().and_then(|newest| handle(newest).coalescing_key());
    let superseded_index = newest_key.and_then(|newest_key| {
        queue.iter().take(older_count).position(|older| handle(older).coalescing_key().as_ref() == Some(&newest_key))
    });
    if let Some(event) = superseded_index.and_then(|index| queue.remove(index)) {
        return vec![event];
    }
    let mut is_superseded_from_newest: Vec<bool> = {
        let mut newer_keys = HashSet::new();
        let keys = queue.iter().rev().map(|entry| handle(entry).coalescing_key());
        keys.map(|key| key.is_some_and(|key| !newer_keys.insert(key))).collect()
    };
    let (mut remaining, mut superseded) = (VecDeque::with_capacity(queue.len()), Vec::new());
    for event in queue.drain(..) {
        match is_superseded_from_newest.pop() {
            Some(true) => superseded.push(event),
            _ => remaining.push_back(event),
        }
    }
    *queue = remaining;
    superseded
}
