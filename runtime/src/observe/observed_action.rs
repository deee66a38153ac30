//! An action that spans, the observer or the metrics report.

use std::cell::LazyCell;

use http::StatusCode;
use tokio::time::Instant;

use super::action_counts::ActionOutcome;
use super::action_table::{ActionName, ActionTable};
use super::observer::{ActionFinished, ActionStarted};
use super::observer_thread::Observation;
use super::spans::{action_span, may_be_enabled, record_end};
use super::telemetry::Telemetry;
use crate::panic::ContainedSpan;

/// An action that spans, the observer or the metrics report. Part of the future of each connection, so it is small.
pub(super) struct ObservedAction {
    started_at: Instant,
    /// `None` if it is disabled. Boxed, because it is large and the metrics alone need none.
    pub(super) span: Option<Box<ContainedSpan>>,
    /// Its index in the [`ActionTable`].
    index: usize,
    /// Whether the gauge of active actions has counted it.
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "only the metrics have a gauge"))]
    is_metered: bool,
    /// Whether it has waited, so that the observer knows that it has started.
    has_waited: bool,
}

impl Telemetry {
    /// Counts an action as started.
    #[inline]
    pub(super) fn record_action_start(&self) {
        self.action_cells.record_start();
    }

    /// Returns what is reported of an action that has started, if anything is. `index` returns its index in the
    /// [`ActionTable`].
    #[inline]
    pub(super) fn observe_action(&self, index: impl FnOnce(&ActionTable) -> usize) -> Option<ObservedAction> {
        if self.has_receiver() || may_be_enabled() { self.new_observed_action(index) } else { None }
    }

    #[cold]
    fn new_observed_action(&self, index: impl FnOnce(&ActionTable) -> usize) -> Option<ObservedAction> {
        let index = LazyCell::new(|| index(self.actions));
        let span = may_be_enabled().then(|| action_span(|| self.actions.name(*index))).flatten();
        if span.is_none() && !self.has_receiver() {
            return None;
        }
        let (index, span) = (*index, span.map(Box::new));
        Some(ObservedAction { started_at: Instant::now(), span, index, is_metered: false, has_waited: false })
    }

    /// Reports that an action is in progress, when it is pending for the first time. Most never are.
    #[cold]
    pub(super) fn report_wait(&self, observed: &mut ObservedAction) {
        if !std::mem::replace(&mut observed.has_waited, true) {
            #[cfg(feature = "metrics")]
            {
                observed.is_metered = self.record(|instruments| instruments.record_wait(observed.index));
            }
            let ActionName { action, route } = self.actions.name(observed.index);
            self.observe(|consumer| Observation::ActionStarted(ActionStarted { consumer, action, route }));
        }
    }

    /// Counts an action as ended.
    #[inline]
    pub(super) fn end_action(&self, status: StatusCode, observed: Option<ObservedAction>) {
        self.action_cells.record_end(ActionOutcome::of(status));
        if let Some(observed) = observed {
            self.report_action(status, &observed);
        }
    }

    #[cold]
    fn report_action(&self, status: StatusCode, observed: &ObservedAction) {
        let duration = observed.started_at.elapsed();
        if let Some(span) = &observed.span {
            record_end(span, status, duration);
        }
        #[cfg(feature = "metrics")]
        {
            if observed.is_metered {
                self.record(|instruments| instruments.record_end_of_wait(observed.index));
            }
            self.record(|instruments| instruments.record_action_duration(observed.index, status, duration));
        }
        self.observe(|consumer| {
            let ActionName { action, route } = self.actions.name(observed.index);
            let outcome = ActionOutcome::of(status);
            let finished = ActionFinished { consumer, action, route, status, outcome, duration };
            if observed.has_waited { Observation::ActionFinished(finished) } else { Observation::ActionRan(finished) }
        });
    }
}
