//! The telemetry of an endpoint: everything that is counted and reported goes through it.
//!
//! Counters are always on. Spans, the observer and the metrics share one check per action; if none of them is on, nothing
//! is allocated and no clock is read.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use http::StatusCode;
use tokio::time::Instant;

use super::action_counts::ActionCells;
use super::action_table::ActionTable;
use super::event_counters::CounterCells;
use super::gauge::Gauge;
#[cfg(feature = "metrics")]
use super::instruments::Instruments;
use super::observer::{
    ConnectionClosed, ConnectionOpened, EventPublished, HandshakeRejected, Observer, QueueOverflowed,
};
use super::observer_thread::{Observation, ObserverCells, ObserverQueue};
use super::panic_count::PanicCount;
use super::snapshot::{
    ClusterCounts, ConnectionCounts, EndpointState, GrantLoads, GroupCounts, HandshakeCounts, MessageCounts,
    ObserverCounts, RecorderCounts,
};
use super::{ActionCounts, EventCounters, Snapshot};
use crate::consumer::{Consumer, HandlerDescriptor};
use crate::context::{ConnectionId, DisconnectReason};
use crate::sync::ignore_poison;

/// Counts and reports what happens at one endpoint.
pub(crate) struct Telemetry {
    consumer: &'static str,
    pub(super) actions: &'static ActionTable,
    pub(super) action_cells: ActionCells,
    pub(super) detached: Gauge,
    pub(super) streams: Gauge,
    pub(super) handshakes: Gauge,
    accepted: AtomicU64,
    abandoned: AtomicU64,
    /// Protects the rejected handshakes by status. No lock is taken under it.
    rejected: Mutex<BTreeMap<u16, u64>>,
    /// Protects the connections that have ended, by reason. No lock is taken under it.
    ended: Mutex<HashMap<Option<DisconnectReason>, u64>>,
    refused_messages: AtomicU64,
    pub(crate) authenticated: Gauge,
    pub(crate) groups: Gauge,
    pub(crate) memberships: Gauge,
    events: CounterCells,
    /// Kept for metrics that are created later.
    is_broker_connected: AtomicBool,
    observer: OnceLock<ObserverQueue>,
    observer_cells: Arc<ObserverCells>,
    /// The panics of the recorder of metrics.
    recorder_panics: PanicCount,
    #[cfg(feature = "metrics")]
    pub(super) instruments: OnceLock<Option<Box<Instruments>>>,
    /// Whether the metrics are created with the next handshake. `None` in `instruments` if the recorder has panicked then.
    #[cfg(feature = "metrics")]
    records_metrics: AtomicBool,
}

/// Counts a handshake as in progress until it is dropped. Unless it has ended before, the client has abandoned it.
pub(crate) struct HandshakeInProgress<'t> {
    telemetry: &'t Telemetry,
    has_ended: bool,
}

impl HandshakeInProgress<'_> {
    /// Records that the handshake was accepted or rejected.
    pub(crate) fn end(mut self) {
        self.has_ended = true;
    }
}

impl Drop for HandshakeInProgress<'_> {
    fn drop(&mut self) {
        self.telemetry.handshakes.decrement();
        if !self.has_ended {
            self.telemetry.record_abandoned();
        }
    }
}

/// Counts an action as detached until it is dropped.
pub(crate) struct DetachedAction(Arc<Telemetry>);

impl Drop for DetachedAction {
    fn drop(&mut self) {
        self.0.detached.decrement();
    }
}

impl Telemetry {
    pub(crate) fn new<C: Consumer>() -> Arc<Telemetry> {
        Arc::new(Telemetry::of(C::NAME, C::DESCRIPTOR))
    }

    fn of(consumer: &'static str, descriptor: &'static HandlerDescriptor) -> Telemetry {
        Telemetry {
            consumer,
            actions: ActionTable::of(descriptor),
            action_cells: ActionCells::default(),
            detached: Gauge::default(),
            streams: Gauge::default(),
            handshakes: Gauge::default(),
            accepted: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            rejected: Mutex::default(),
            ended: Mutex::default(),
            refused_messages: AtomicU64::new(0),
            authenticated: Gauge::default(),
            groups: Gauge::default(),
            memberships: Gauge::default(),
            events: CounterCells::default(),
            is_broker_connected: AtomicBool::new(false),
            observer: OnceLock::new(),
            observer_cells: Arc::default(),
            recorder_panics: PanicCount::default(),
            #[cfg(feature = "metrics")]
            instruments: OnceLock::new(),
            #[cfg(feature = "metrics")]
            records_metrics: AtomicBool::new(false),
        }
    }

    /// Starts the thread of an observer. There can be one.
    ///
    /// # Errors
    ///
    /// Returns why it was not started.
    pub(crate) fn set_observer(&self, observer: impl Observer) -> Result<(), String> {
        let queue = ObserverQueue::start(observer, self.observer_cells.clone());
        let queue = queue.map_err(|error| format!("the thread of the observer cannot be started: {error}"))?;
        let message = "has an observer already; an endpoint has one, so call both from one `Observer`";
        self.observer.set(queue).map_err(|_| format!("the endpoint of `{}` {message}", self.consumer))
    }

    pub(super) fn observe(&self, observation: impl FnOnce(&'static str) -> Observation) {
        if let Some(observer) = self.observer.get() {
            observer.push(observation(self.consumer));
        }
    }

    /// Calls the recorder of metrics. Returns whether it has returned; a panic of it is caught.
    #[cfg(feature = "metrics")]
    pub(super) fn record(&self, record: impl FnOnce(&Instruments)) -> bool {
        let Some(Some(instruments)) = self.instruments.get() else { return false };
        self.contain_recorder(|| record(instruments)).is_some()
    }

    /// As [`record`](Telemetry::record), without metrics.
    #[cfg(feature = "metrics")]
    fn contain_recorder<T>(&self, call: impl FnOnce() -> T) -> Option<T> {
        let outcome = crate::panic::catch_unwind(call);
        outcome.map_err(|panic| self.recorder_panics.record("metrics recorder", panic.message())).ok()
    }

    /// Creates the metrics with the next handshake.
    #[cfg(feature = "metrics")]
    pub(crate) fn record_metrics(&self) {
        self.records_metrics.store(true, Ordering::Relaxed);
    }

    /// Creates the metrics, unless they are. Not under a lock: if several handshakes create them, all have the same ones.
    #[cfg(feature = "metrics")]
    fn create_instruments(&self) {
        if self.records_metrics.load(Ordering::Relaxed) && self.instruments.get().is_none() {
            let create = || Box::new(Instruments::new(self.consumer, self.actions));
            let created = self.contain_recorder(create);
            crate::panic::drop_contained(self.instruments.set(created));
            let is_connected = self.is_broker_connected.load(Ordering::Relaxed);
            self.record(|instruments| instruments.record_link(is_connected));
        }
    }

    /// Counts a handshake as in progress until the returned guard is dropped. With the first one, the metrics are created.
    pub(crate) fn begin_handshake(&self) -> HandshakeInProgress<'_> {
        #[cfg(feature = "metrics")]
        self.create_instruments();
        self.handshakes.increment();
        HandshakeInProgress { telemetry: self, has_ended: false }
    }

    /// Counts a handshake that the client has abandoned.
    fn record_abandoned(&self) {
        self.abandoned.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        self.record(Instruments::record_abandoned);
    }

    /// Counts a handshake that was rejected.
    pub(crate) fn record_rejection(&self, status: StatusCode) {
        *ignore_poison(self.rejected.lock()).entry(status.as_u16()).or_default() += 1;
        self.observe(|consumer| Observation::HandshakeRejected(HandshakeRejected { consumer, status }));
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_rejection(status));
    }

    /// Counts a connection whose handshake was accepted. Returns whether the gauge of open connections has counted it.
    pub(crate) fn record_connection(&self, connection: ConnectionId) -> bool {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.observe(|consumer| Observation::ConnectionOpened(ConnectionOpened { consumer, connection }));
        #[cfg(feature = "metrics")]
        self.record(Instruments::record_accepted);
        #[cfg(feature = "metrics")]
        let is_metered = self.record(Instruments::record_connection);
        #[cfg(not(feature = "metrics"))]
        let is_metered = false;
        is_metered
    }

    /// Counts a connection that has ended. `is_metered` is what [`record_connection`](Telemetry::record_connection) has
    /// returned.
    #[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "only the metrics have a gauge"))]
    pub(crate) fn record_disconnect(
        &self,
        connection: ConnectionId,
        reason: Option<DisconnectReason>,
        opened_at: Instant,
        is_metered: bool,
    ) {
        *ignore_poison(self.ended.lock()).entry(reason).or_default() += 1;
        let duration = opened_at.elapsed();
        #[cfg(feature = "metrics")]
        {
            if is_metered {
                self.record(Instruments::record_end_of_connection);
            }
            self.record(|instruments| instruments.record_disconnect(reason, duration));
        }
        self.observe(|consumer| {
            Observation::ConnectionClosed(ConnectionClosed { consumer, connection, reason, duration })
        });
    }

    /// Counts a message that was refused because it is above the rate of its connection.
    pub(crate) fn record_refused_message(&self) {
        self.refused_messages.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        self.record(Instruments::record_refused_message);
    }

    /// Returns whether there is an observer, or metrics are recorded.
    #[inline]
    pub(super) fn has_receiver(&self) -> bool {
        #[cfg(feature = "metrics")]
        let has_instruments = matches!(self.instruments.get(), Some(Some(_)));
        #[cfg(not(feature = "metrics"))]
        let has_instruments = false;
        has_instruments || self.observer.get().is_some()
    }

    /// Counts an action as detached until the returned value is dropped.
    pub(crate) fn begin_detached(self: &Arc<Self>) -> DetachedAction {
        self.detached.increment();
        DetachedAction(self.clone())
    }

    /// Counts a publication to `receivers` connections, and the deliveries of it that were refused at once.
    pub(crate) fn record_publication(&self, event: &'static str, receivers: usize, refused: usize) {
        self.events.record_publication(refused as u64);
        self.observe(|consumer| Observation::EventPublished(EventPublished { consumer, event, receivers, refused }));
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_publication(event, refused));
    }

    /// Counts an event that another machine has published: the deliveries of it that were refused at once.
    pub(crate) fn record_received(&self, refused: usize) {
        self.events.record_received(refused as u64);
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_received(refused));
    }

    /// Records that the broker is connected, or lost.
    pub(crate) fn record_link(&self, is_connected: bool) {
        self.is_broker_connected.store(is_connected, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_link(is_connected));
    }

    /// Records that events of other machines may have been lost.
    pub(crate) fn record_gap(&self) {
        #[cfg(feature = "metrics")]
        self.record(Instruments::record_gap);
    }

    pub(crate) fn record_refusal(&self) {
        self.events.record_refusal();
        #[cfg(feature = "metrics")]
        self.record(Instruments::record_refusal);
    }

    pub(crate) fn record_deliveries(&self, events: usize) {
        self.events.record_deliveries(events);
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_deliveries(events));
    }

    /// Counts an overflow of a send queue: the overflow policy has dropped events, or the connection is closed with 1013, or
    /// both. Without either, there was none.
    #[inline]
    pub(crate) fn record_overflow(&self, dropped: usize, is_closed: bool) {
        if dropped > 0 || is_closed {
            self.report_overflow(dropped, is_closed);
        }
    }

    #[cold]
    fn report_overflow(&self, dropped: usize, is_closed: bool) {
        self.events.record_overflow(dropped, is_closed);
        self.observe(|consumer| Observation::QueueOverflowed(QueueOverflowed { consumer, dropped, is_closed }));
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_overflow(dropped));
    }

    pub(crate) fn record_failure(&self) {
        self.events.record_failure();
        #[cfg(feature = "metrics")]
        self.record(Instruments::record_failure);
    }

    pub(crate) fn record_too_large(&self) {
        self.events.record_too_large();
        #[cfg(feature = "metrics")]
        self.record(Instruments::record_too_large);
    }

    /// Returns the event counters.
    pub(crate) fn event_counters(&self) -> EventCounters {
        self.events.snapshot()
    }

    /// Returns a snapshot of an endpoint with `open` connections.
    pub(crate) fn snapshot(
        &self,
        state: EndpointState,
        open: usize,
        grant_loads: GrantLoads,
        cluster: Option<ClusterCounts>,
    ) -> Snapshot {
        let (detached, streams) = (self.detached.get(), self.streams.get());
        Snapshot {
            consumer: self.consumer,
            state,
            handshakes: HandshakeCounts {
                in_progress: self.handshakes.get(),
                accepted: self.accepted.load(Ordering::Relaxed),
                abandoned: self.abandoned.load(Ordering::Relaxed),
                rejected: ignore_poison(self.rejected.lock()).clone(),
            },
            connections: self.connections(open as u64),
            messages: MessageCounts { refused: self.refused_messages.load(Ordering::Relaxed) },
            actions: ActionCounts { detached, streams, ..self.action_cells.snapshot() },
            groups: GroupCounts { groups: self.groups.get(), memberships: self.memberships.get() },
            events: self.event_counters(),
            grant_loads,
            cluster,
            observer: ObserverCounts {
                dropped: self.observer_cells.dropped.load(Ordering::Relaxed),
                panicked: self.observer_cells.panics.get(),
            },
            recorder: RecorderCounts { panicked: self.recorder_panics.get() },
        }
    }

    fn connections(&self, open: u64) -> ConnectionCounts {
        let ended = ignore_poison(self.ended.lock()).clone();
        let count = |key| ended.get(&key).copied().unwrap_or_default();
        let closed = |(reason, count): (&Option<DisconnectReason>, &u64)| match reason {
            Some(DisconnectReason::Closed { code }) => Some((*code, *count)),
            Some(DisconnectReason::PeerGone) | None => None,
        };
        let authenticated = self.authenticated.get().min(open);
        ConnectionCounts {
            open,
            authenticated,
            anonymous: open - authenticated,
            ended: ended.values().sum(),
            ended_by_peer: count(Some(DisconnectReason::PeerGone)),
            aborted: count(None),
            closed: ended.iter().filter_map(closed).collect(),
        }
    }
}

#[cfg(test)]
impl Default for Telemetry {
    /// Creates the telemetry of a consumer without actions.
    fn default() -> Telemetry {
        static EMPTY: HandlerDescriptor = HandlerDescriptor::EMPTY;
        Telemetry::of("", &EMPTY)
    }
}
