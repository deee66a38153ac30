//! The metrics of an endpoint: counters, gauges and histograms of the `metrics` facade, created once.

use std::sync::OnceLock;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::StatusCode;
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use super::action_table::{ActionName, ActionTable};
use crate::context::DisconnectReason;

/// The recommended boundaries of the buckets of the histogram `portcullis.action.duration`, in seconds. They are those of
/// `http.server.request.duration` in the semantic conventions of OpenTelemetry.
pub const ACTION_DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The recommended boundaries of the buckets of the histogram `portcullis.server.connection.duration`, in seconds. They are
/// those of `signalr.server.connection.duration` in the semantic conventions of OpenTelemetry, and 30 minutes, 2, 8 and 24
/// hours.
pub const CONNECTION_DURATION_BUCKETS: [f64; 18] = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 1800.0, 7200.0, 28_800.0, 86_400.0,
];

const ACTIVE_CONNECTIONS: &str = "portcullis.server.active_connections";
const CONNECTION_DURATION: &str = "portcullis.server.connection.duration";
const HANDSHAKES_ACCEPTED: &str = "portcullis.handshake.accepted";
const HANDSHAKES_ABANDONED: &str = "portcullis.handshake.abandoned";
const HANDSHAKES_REJECTED: &str = "portcullis.handshake.rejected";
const MESSAGES_REFUSED: &str = "portcullis.message.refused";
const ACTIVE_ACTIONS: &str = "portcullis.action.active";
const ACTION_DURATION: &str = "portcullis.action.duration";
const EVENTS_PUBLISHED: &str = "portcullis.events.published";
const EVENTS_RECEIVED: &str = "portcullis.events.received";
const EVENTS_DELIVERED: &str = "portcullis.events.delivered";
const EVENTS_REFUSED: &str = "portcullis.events.refused";
const EVENTS_DROPPED: &str = "portcullis.events.dropped";
const EVENTS_FAILED: &str = "portcullis.events.failed";
const EVENTS_TOO_LARGE: &str = "portcullis.events.too_large";
const BROKER_CONNECTED: &str = "portcullis.broker.connected";
const BROKER_GAPS: &str = "portcullis.broker.gaps";
const QUEUE_OVERFLOWS: &str = "portcullis.server.queue_overflows";

/// The metrics of one endpoint.
pub(super) struct Instruments {
    consumer: &'static str,
    active_connections: Gauge,
    /// By what [`record_disconnect`](Instruments::record_disconnect) gets.
    connection_durations: Series<Option<DisconnectReason>, Histogram>,
    accepted: Counter,
    abandoned: Counter,
    rejected: Series<StatusCode, Counter>,
    refused_messages: Counter,
    /// By the index in the [`ActionTable`].
    actions: Vec<ActionInstruments>,
    /// By the name of the event.
    published: Series<&'static str, Counter>,
    received: Counter,
    delivered: Counter,
    refused: Counter,
    dropped: Counter,
    failed: Counter,
    too_large: Counter,
    overflows: Counter,
    broker_connected: Gauge,
    broker_gaps: Counter,
}

/// The metrics of one action.
struct ActionInstruments {
    name: ActionName,
    active: Gauge,
    durations: Series<StatusCode, Histogram>,
}

/// Handles by the value of a label that is not known beforehand. There are few values.
struct Series<K, H> {
    /// The first value, which is mostly the only one: a status of 200, for example. It is read without an atomic write.
    first: OnceLock<(K, H)>,
    others: ArcSwap<Vec<(K, H)>>,
}

impl<K: Copy + PartialEq, H: Clone> Series<K, H> {
    fn new() -> Series<K, H> {
        Series { first: OnceLock::new(), others: ArcSwap::default() }
    }

    /// Calls `record` with the handle for a value, which is created with the first call.
    fn with(&self, key: K, create: impl FnOnce() -> H, record: impl FnOnce(&H)) {
        if let Some((_, handle)) = self.first.get().filter(|(first, _)| *first == key) {
            return record(handle);
        }
        if let Some((_, handle)) = self.others.load().iter().find(|(known, _)| *known == key) {
            return record(handle);
        }
        let handle = create();
        // If two threads create one, both handles are of the same metric.
        if let Err(other) = self.first.set((key, handle.clone())) {
            self.others.rcu(|handles| handles.iter().cloned().chain([other.clone()]).collect::<Vec<_>>());
        }
        record(&handle);
    }
}

impl Instruments {
    pub(super) fn new(consumer: &'static str, actions: &ActionTable) -> Instruments {
        describe();
        let action = |name: &ActionName| {
            let ActionName { action, route } = *name;
            let active = gauge!(ACTIVE_ACTIONS, "consumer" => consumer, "action" => action, "route" => route);
            ActionInstruments { name: *name, active, durations: Series::new() }
        };
        Instruments {
            consumer,
            active_connections: gauge!(ACTIVE_CONNECTIONS, "consumer" => consumer),
            connection_durations: Series::new(),
            accepted: counter!(HANDSHAKES_ACCEPTED, "consumer" => consumer),
            abandoned: counter!(HANDSHAKES_ABANDONED, "consumer" => consumer),
            rejected: Series::new(),
            refused_messages: counter!(MESSAGES_REFUSED, "consumer" => consumer),
            actions: actions.names().iter().map(action).collect(),
            published: Series::new(),
            received: counter!(EVENTS_RECEIVED, "consumer" => consumer),
            delivered: counter!(EVENTS_DELIVERED, "consumer" => consumer),
            refused: counter!(EVENTS_REFUSED, "consumer" => consumer),
            dropped: counter!(EVENTS_DROPPED, "consumer" => consumer),
            failed: counter!(EVENTS_FAILED, "consumer" => consumer),
            too_large: counter!(EVENTS_TOO_LARGE, "consumer" => consumer),
            overflows: counter!(QUEUE_OVERFLOWS, "consumer" => consumer),
            broker_connected: gauge!(BROKER_CONNECTED, "consumer" => consumer),
            broker_gaps: counter!(BROKER_GAPS, "consumer" => consumer),
        }
    }

    pub(super) fn record_accepted(&self) {
        self.accepted.increment(1);
    }

    pub(super) fn record_abandoned(&self) {
        self.abandoned.increment(1);
    }

    pub(super) fn record_connection(&self) {
        self.active_connections.increment(1.0);
    }

    /// Reverts [`record_connection`](Instruments::record_connection).
    pub(super) fn record_end_of_connection(&self) {
        self.active_connections.decrement(1.0);
    }

    /// `reason` is `None` if the connection was aborted.
    pub(super) fn record_disconnect(&self, reason: Option<DisconnectReason>, duration: Duration) {
        let create = || {
            let close_code = match reason {
                None => "aborted".to_owned(),
                Some(DisconnectReason::PeerGone) => "peer".to_owned(),
                Some(DisconnectReason::Closed { code }) => code.to_string(),
            };
            histogram!(CONNECTION_DURATION, "consumer" => self.consumer, "close_code" => close_code)
        };
        self.connection_durations.with(reason, create, |histogram| histogram.record(duration));
    }

    pub(super) fn record_rejection(&self, status: StatusCode) {
        let create =
            || counter!(HANDSHAKES_REJECTED, "consumer" => self.consumer, "status" => status.as_str().to_owned());
        self.rejected.with(status, create, |counter| counter.increment(1));
    }

    pub(super) fn record_refused_message(&self) {
        self.refused_messages.increment(1);
    }

    /// Records that an action waits: one that never does is not active when the metrics are read.
    pub(super) fn record_wait(&self, index: usize) {
        if let Some(action) = self.actions.get(index) {
            action.active.increment(1.0);
        }
    }

    /// Reverts [`record_wait`](Instruments::record_wait).
    pub(super) fn record_end_of_wait(&self, index: usize) {
        if let Some(action) = self.actions.get(index) {
            action.active.decrement(1.0);
        }
    }

    pub(super) fn record_action_duration(&self, index: usize, status: StatusCode, duration: Duration) {
        let Some(ActionInstruments { name, durations, .. }) = self.actions.get(index) else { return };
        let create = || {
            let (ActionName { action, route }, status) = (*name, status.as_str().to_owned());
            histogram!(
                ACTION_DURATION, "consumer" => self.consumer, "action" => action, "route" => route, "status" => status
            )
        };
        durations.with(status, create, |histogram| histogram.record(duration));
    }

    pub(super) fn record_publication(&self, event: &'static str, refused: usize) {
        let create = || counter!(EVENTS_PUBLISHED, "consumer" => self.consumer, "event" => event);
        self.published.with(event, create, |counter| counter.increment(1));
        if refused > 0 {
            self.refused.increment(refused as u64);
        }
    }

    pub(super) fn record_received(&self, refused: usize) {
        self.received.increment(1);
        if refused > 0 {
            self.refused.increment(refused as u64);
        }
    }

    pub(super) fn record_link(&self, is_connected: bool) {
        self.broker_connected.set(f64::from(u8::from(is_connected)));
    }

    pub(super) fn record_gap(&self) {
        self.broker_gaps.increment(1);
    }

    pub(super) fn record_refusal(&self) {
        self.refused.increment(1);
    }

    pub(super) fn record_deliveries(&self, events: usize) {
        self.delivered.increment(events as u64);
    }

    /// Records an overflow that has dropped this number of events.
    pub(super) fn record_overflow(&self, dropped: usize) {
        self.dropped.increment(dropped as u64);
        self.overflows.increment(1);
    }

    pub(super) fn record_failure(&self) {
        self.failed.increment(1);
    }

    pub(super) fn record_too_large(&self) {
        self.too_large.increment(1);
    }
}

/// Describes all metrics to the recorder.
fn describe() {
    describe_gauge!(ACTIVE_CONNECTIONS, Unit::Count, "Open connections.");
    describe_histogram!(CONNECTION_DURATION, Unit::Seconds, "Duration of connections that have ended.");
    describe_counter!(HANDSHAKES_ACCEPTED, Unit::Count, "Handshakes that were accepted.");
    describe_counter!(HANDSHAKES_ABANDONED, Unit::Count, "Handshakes that the client has abandoned.");
    describe_counter!(HANDSHAKES_REJECTED, Unit::Count, "Handshakes that were rejected.");
    describe_counter!(MESSAGES_REFUSED, Unit::Count, "Messages above the rate of their connection.");
    describe_gauge!(ACTIVE_ACTIONS, Unit::Count, "Actions in progress that have waited at least once.");
    describe_histogram!(ACTION_DURATION, Unit::Seconds, "Duration of actions with their checks.");
    describe_counter!(EVENTS_PUBLISHED, Unit::Count, "Publications, and announcements of presence.");
    describe_counter!(EVENTS_RECEIVED, Unit::Count, "Events of other machines that had a receiver here.");
    describe_counter!(EVENTS_DELIVERED, Unit::Count, "Events that were sent to one connection.");
    describe_counter!(EVENTS_REFUSED, Unit::Count, "Events that a permission has withheld from one connection.");
    describe_counter!(EVENTS_DROPPED, Unit::Count, "Events that the overflow policy has dropped.");
    describe_counter!(EVENTS_FAILED, Unit::Count, "Events whose permission, grants or encoding has failed.");
    describe_counter!(EVENTS_TOO_LARGE, Unit::Count, "Events that were larger than the limit.");
    describe_gauge!(BROKER_CONNECTED, Unit::Count, "1 if the broker is connected, else 0.");
    describe_counter!(BROKER_GAPS, Unit::Count, "Times that events of other machines may have been lost.");
    describe_counter!(QUEUE_OVERFLOWS, Unit::Count, "Overflows of the send queue of one connection.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_boundaries_rise() {
        assert!(ACTION_DURATION_BUCKETS.is_sorted() && CONNECTION_DURATION_BUCKETS.is_sorted());
    }

    #[test]
    fn handle_is_created_once_per_value() {
        let (series, mut created) = (Series::new(), 0);
        for key in [200, 403, 200, 403, 500, 200] {
            let create = || {
                created += 1;
                key
            };
            series.with(key, create, |handle| assert_eq!(*handle, key));
        }
        assert_eq!(created, 3);
    }
}
