//! Counters of published, delivered, refused and dropped events.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// Counters of the events of an endpoint since it was created. Returned by
/// [`Publisher::counters`](crate::Publisher::counters).
///
/// Each counter only rises.
///
/// # Examples
///
/// ```standalone_crate
/// # use portcullis::{AllowAny, consumer};
/// # struct Chat;
/// # #[consumer]
/// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
/// let chat = portcullis::websocket(Chat);
/// let counters = chat.publisher().counters();
/// assert_eq!((counters.published, counters.dropped), (0, 0));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EventCounters {
    /// Publications: calls that published an event, and announcements of presence, whatever the number of their receivers.
    pub published: u64,
    /// Events that other machines have published and that had a receiver here.
    pub received: u64,
    /// Deliveries: an event that was taken from the send queue of one connection and sent counts once.
    pub delivered: u64,
    /// Deliveries that were refused: the permission of the event did not hold, or it could not be evaluated.
    pub refused: u64,
    /// Events that the overflow policy dropped from the queue of one connection.
    pub dropped: u64,
    /// Connections that were closed with 1013.
    pub too_slow: u64,
    /// Permissions of events that panicked, grants that could not be loaded for one, and frames that could not be encoded.
    pub failed: u64,
    /// Frames that exceeded [`Limits::max_event_bytes`](crate::Limits::max_event_bytes): one per event if all subscribers get
    /// the same frame, else one per subscriber.
    pub too_large: u64,
}

/// The cells behind [`EventCounters`], on cache lines of their own: publishers change some of them, and the connections that
/// receive events another one.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct CounterCells {
    published: AtomicU64,
    received: AtomicU64,
    delivered: Delivered,
    refused: AtomicU64,
    dropped: AtomicU64,
    too_slow: AtomicU64,
    failed: AtomicU64,
    too_large: AtomicU64,
}

/// The number of deliveries.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Delivered(AtomicU64);

impl CounterCells {
    /// Counts a publication, and the deliveries of it that were refused at once.
    pub(crate) fn record_publication(&self, refused: u64) {
        self.published.fetch_add(1, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
    }

    /// Counts an event of another machine, and the deliveries of it that were refused at once.
    pub(crate) fn record_received(&self, refused: u64) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.refused.fetch_add(refused, Ordering::Relaxed);
    }

    pub(crate) fn record_refusal(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn record_deliveries(&self, events: usize) {
        self.delivered.0.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Counts an overflow of a send queue.
    pub(crate) fn record_overflow(&self, dropped: usize, is_closed: bool) {
        self.dropped.fetch_add(dropped as u64, Ordering::Relaxed);
        self.too_slow.fetch_add(u64::from(is_closed), Ordering::Relaxed);
    }

    pub(crate) fn record_failure(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn record_too_large(&self) {
        self.too_large.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the current values.
    pub(crate) fn snapshot(&self) -> EventCounters {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        EventCounters {
            published: read(&self.published),
            received: read(&self.received),
            delivered: read(&self.delivered.0),
            refused: read(&self.refused),
            dropped: read(&self.dropped),
            too_slow: read(&self.too_slow),
            failed: read(&self.failed),
            too_large: read(&self.too_large),
        }
    }
}
