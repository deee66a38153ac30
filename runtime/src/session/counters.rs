//! What became of events, counted for whoever runs the server.

use std::sync::atomic::{AtomicU64, Ordering};

/// What became of the events of an endpoint since it was made; [`Publisher::counters`](crate::Publisher::counters) tells.
///
/// Each number only rises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventCounters {
    /// Events that were published.
    pub published: u64,
    /// Events that went out to a member who may see them.
    pub delivered: u64,
    /// Events that were kept from a member: by their permission, or because it could not be asked.
    pub refused: u64,
    /// Events that a slow receiver missed.
    pub dropped: u64,
    /// Connections that were closed with 1013.
    pub too_slow: u64,
    /// Permissions of events that panicked, grants that could not be loaded for one, and frames that could not be made.
    pub failed: u64,
}

/// The same, while it is counted.
#[derive(Debug, Default)]
pub(crate) struct CounterCells {
    published: AtomicU64,
    delivered: AtomicU64,
    refused: AtomicU64,
    dropped: AtomicU64,
    too_slow: AtomicU64,
    failed: AtomicU64,
}

impl CounterCells {
    /// Counts one publication, and whom it was kept from at once.
    pub(crate) fn record_publication(&self, refused: u64) {
        self.published.fetch_add(1, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
    }

    pub(crate) fn record_refusal(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn record_delivery(&self) {
        self.delivered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn record_dropped(&self, events: usize) {
        self.dropped.fetch_add(events as u64, Ordering::Relaxed);
    }

    pub(crate) fn record_too_slow(&self) {
        self.too_slow.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn record_failure(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> EventCounters {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        EventCounters {
            published: read(&self.published),
            delivered: read(&self.delivered),
            refused: read(&self.refused),
            dropped: read(&self.dropped),
            too_slow: read(&self.too_slow),
            failed: read(&self.failed),
        }
    }
}
