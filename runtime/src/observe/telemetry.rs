//! The telemetry of an endpoint: everything that is counted and reported goes through it.
//!
//! Counters are always on. Spans, the observer and the metrics share one check per action; if none of them is on, nothing
//! is allocated and no clock is read.

use std::collections::{BTreeMap, HashMap};
#[cfg(feature = "metrics")]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use http::StatusCode;
use tokio::time::Instant;

use super::action_counts::{ActionCells, ActionOutcome};
use super::action_table::{ActionName, ActionTable};
use super::event_counters::CounterCells;
use super::gauge::{Gauge, GaugeGuard};
#[cfg(feature = "metrics")]
use super::instruments::Instruments;
use super::observer::{
    ActionFinished, ActionStarted, ConnectionClosed, ConnectionOpened, EventPublished, HandshakeRejected, Observer,
    QueueOverflowed,
};
use super::observer_thread::{Observation, ObserverCells, ObserverQueue};
use super::snapshot::{ConnectionCounts, EndpointState, GrantLoads, GroupCounts, HandshakeCounts, ObserverCounts};
use super::spans::{action_span, is_action_span_enabled};
use super::{ActionCounts, EventCounters, Snapshot};
use crate::consumer::{Consumer, EventDescriptor, HandlerDescriptor};
use crate::context::{ConnectionId, DisconnectReason};
use crate::sync::ignore_poison;

/// Counts and reports what happens at one endpoint.
pub(crate) struct Telemetry {
    consumer: &'static str,
    pub(super) actions: &'static ActionTable,
    action_cells: ActionCells,
    pub(super) detached: Gauge,
    pub(super) streams: Gauge,
    pub(super) handshakes: Gauge,
    accepted: AtomicU64,
    /// Protects the rejected handshakes by status. No lock is taken under it.
    rejected: Mutex<BTreeMap<u16, u64>>,
    /// Protects the connections that have ended, by reason. No lock is taken under it.
    ended: Mutex<HashMap<Option<DisconnectReason>, u64>>,
    pub(crate) authenticated: Gauge,
    pub(crate) groups: Gauge,
    pub(crate) memberships: Gauge,
    events: CounterCells,
    observer: OnceLock<ObserverQueue>,
    observer_cells: Arc<ObserverCells>,
    #[cfg(feature = "metrics")]
    pub(super) instruments: OnceLock<Box<Instruments>>,
    /// Whether the metrics are created with the next handshake.
    #[cfg(feature = "metrics")]
    records_metrics: AtomicBool,
    #[cfg(feature = "metrics")]
    events_of_consumer: &'static [EventDescriptor],
}

/// An action that spans, the observer or the metrics report.
pub(super) struct ObservedAction {
    /// Its index in the [`ActionTable`].
    index: usize,
    pub(super) span: tracing::Span,
    started_at: Instant,
    /// Whether the observer knows that it has started.
    is_announced: bool,
}

impl Telemetry {
    pub(crate) fn new<C: Consumer>() -> Arc<Telemetry> {
        Arc::new(Telemetry::of(C::NAME, C::DESCRIPTOR, C::EVENTS))
    }

    #[cfg_attr(not(feature = "metrics"), expect(unused_variables, reason = "only the metrics name events"))]
    fn of(
        consumer: &'static str,
        descriptor: &'static HandlerDescriptor,
        events: &'static [EventDescriptor],
    ) -> Telemetry {
        Telemetry {
            consumer,
            actions: ActionTable::of(descriptor),
            action_cells: ActionCells::default(),
            detached: Gauge::default(),
            streams: Gauge::default(),
            handshakes: Gauge::default(),
            accepted: AtomicU64::new(0),
            rejected: Mutex::default(),
            ended: Mutex::default(),
            authenticated: Gauge::default(),
            groups: Gauge::default(),
            memberships: Gauge::default(),
            events: CounterCells::default(),
            observer: OnceLock::new(),
            observer_cells: Arc::default(),
            #[cfg(feature = "metrics")]
            instruments: OnceLock::new(),
            #[cfg(feature = "metrics")]
            records_metrics: AtomicBool::new(false),
            #[cfg(feature = "metrics")]
            events_of_consumer: events,
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
        self.observer.set(queue).map_err(|_| format!("the endpoint of `{}` has an observer already", self.consumer))
    }

    fn observe(&self, observation: impl FnOnce(&'static str) -> Observation) {
        if let Some(observer) = self.observer.get() {
            observer.push(observation(self.consumer));
        }
    }

    /// Calls the recorder of metrics. A panic of it is caught.
    #[cfg(feature = "metrics")]
    fn record(&self, record: impl FnOnce(&Instruments)) {
        if let Some(instruments) = self.instruments.get()
            && let Err(panic) = crate::panic::catch_unwind(|| record(instruments))
        {
            self.observer_cells.record_panic("the recorder of metrics", panic.message());
        }
    }

    /// Creates the metrics with the next handshake.
    #[cfg(feature = "metrics")]
    pub(crate) fn record_metrics(&self) {
        self.records_metrics.store(true, Ordering::Relaxed);
    }

    /// Counts a handshake as in progress until the returned guard is dropped. With the first one, the metrics are created.
    pub(crate) fn begin_handshake(&self) -> GaugeGuard<'_> {
        #[cfg(feature = "metrics")]
        if self.records_metrics.load(Ordering::Relaxed) {
            self.instruments.get_or_init(|| {
                let create = || Instruments::new(self.consumer, self.actions, self.events_of_consumer);
                Box::new(crate::panic::catch_unwind(create).unwrap_or_else(|panic| {
                    self.observer_cells.record_panic("the recorder of metrics", panic.message());
                    Instruments::none()
                }))
            });
        }
        self.handshakes.enter()
    }

    /// Counts a handshake that was rejected.
    pub(crate) fn record_rejection(&self, status: StatusCode) {
        *ignore_poison(self.rejected.lock()).entry(status.as_u16()).or_default() += 1;
        self.observe(|consumer| Observation::HandshakeRejected(HandshakeRejected { consumer, status }));
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_rejection(status));
    }

    /// Counts a connection whose handshake was accepted.
    pub(crate) fn record_connection(&self, connection: ConnectionId) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.observe(|consumer| Observation::ConnectionOpened(ConnectionOpened { consumer, connection }));
        #[cfg(feature = "metrics")]
        self.record(Instruments::record_connection);
    }

    /// Counts a connection that has ended.
    pub(crate) fn record_disconnect(
        &self,
        connection: ConnectionId,
        reason: Option<DisconnectReason>,
        opened_at: Instant,
    ) {
        *ignore_poison(self.ended.lock()).entry(reason).or_default() += 1;
        let duration = opened_at.elapsed();
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_disconnect(reason, duration));
        self.observe(|consumer| {
            Observation::ConnectionClosed(ConnectionClosed { consumer, connection, reason, duration })
        });
    }

    /// Counts an action as started. Returns what is reported of it, if anything is. `index` returns its index in the
    /// [`ActionTable`].
    #[inline]
    pub(super) fn start_action(&self, index: impl FnOnce(&ActionTable) -> usize) -> Option<Box<ObservedAction>> {
        self.action_cells.record_start();
        if self.is_observed() { Some(Box::new(self.observe_action(index(self.actions)))) } else { None }
    }

    #[inline]
    fn is_observed(&self) -> bool {
        #[cfg(feature = "metrics")]
        let has_instruments = self.instruments.get().is_some();
        #[cfg(not(feature = "metrics"))]
        let has_instruments = false;
        has_instruments || self.observer.get().is_some() || is_action_span_enabled()
    }

    #[cold]
    fn observe_action(&self, index: usize) -> ObservedAction {
        let span = action_span(self.actions.name(index));
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_action_start(index));
        ObservedAction { index, span, started_at: Instant::now(), is_announced: false }
    }

    /// Tells the observer that an action has started, when it is pending for the first time.
    #[cold]
    pub(super) fn announce_action(&self, observed: &mut ObservedAction) {
        if !std::mem::replace(&mut observed.is_announced, true) {
            let ActionName { action, route } = self.actions.name(observed.index);
            self.observe(|consumer| Observation::ActionStarted(ActionStarted { consumer, action, route }));
        }
    }

    /// Counts an action as detached until the returned guard is dropped.
    pub(crate) fn begin_detached(&self) -> GaugeGuard<'_> {
        self.detached.enter()
    }

    /// Counts an action as ended.
    #[inline]
    pub(super) fn end_action(&self, status: StatusCode, observed: Option<Box<ObservedAction>>) {
        self.action_cells.record_end(ActionOutcome::of(status));
        if let Some(observed) = observed {
            self.report_action(status, &observed);
        }
    }

    #[cold]
    fn report_action(&self, status: StatusCode, observed: &ObservedAction) {
        let duration = observed.started_at.elapsed();
        super::spans::record_end(&observed.span, status, duration);
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_action_end(observed.index, status, duration));
        self.observe(|consumer| {
            let ActionName { action, route } = self.actions.name(observed.index);
            let outcome = ActionOutcome::of(status);
            let finished = ActionFinished { consumer, action, route, status, outcome, duration };
            if observed.is_announced { Observation::ActionFinished(finished) } else { Observation::ActionRan(finished) }
        });
    }

    /// Counts a publication to `receivers` connections, and the deliveries of it that were refused at once.
    pub(crate) fn record_publication(&self, event: &'static str, receivers: usize, refused: usize) {
        self.events.record_publication(refused as u64);
        self.observe(|consumer| Observation::EventPublished(EventPublished { consumer, event, receivers, refused }));
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_publication(event, refused));
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

    pub(crate) fn record_dropped(&self, dropped: usize) {
        if dropped == 0 {
            return;
        }
        self.events.record_dropped(dropped);
        let is_closed = false;
        self.observe(|consumer| Observation::QueueOverflowed(QueueOverflowed { consumer, dropped, is_closed }));
        #[cfg(feature = "metrics")]
        self.record(|instruments| instruments.record_dropped(dropped));
    }

    pub(crate) fn record_too_slow(&self) {
        self.events.record_too_slow();
        let (dropped, is_closed) = (0, true);
        self.observe(|consumer| Observation::QueueOverflowed(QueueOverflowed { consumer, dropped, is_closed }));
        #[cfg(feature = "metrics")]
        self.record(Instruments::record_too_slow);
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
    pub(crate) fn snapshot(&self, state: EndpointState, open: usize, grant_loads: GrantLoads) -> Snapshot {
        let (detached, streams) = (self.detached.get(), self.streams.get());
        Snapshot {
            consumer: self.consumer,
            state,
            handshakes: HandshakeCounts {
                in_progress: self.handshakes.get(),
                accepted: self.accepted.load(Ordering::Relaxed),
                rejected: ignore_poison(self.rejected.lock()).clone(),
            },
            connections: self.connections(open as u64),
            actions: ActionCounts { detached, streams, ..self.action_cells.snapshot() },
            groups: GroupCounts { groups: self.groups.get(), memberships: self.memberships.get() },
            events: self.event_counters(),
            grant_loads,
            observer: ObserverCounts {
                dropped: self.observer_cells.dropped.load(Ordering::Relaxed),
                panicked: self.observer_cells.panicked.load(Ordering::Relaxed),
            },
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
        Telemetry::of("", &EMPTY, &[])
    }
}
