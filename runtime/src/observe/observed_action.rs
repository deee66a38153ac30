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

/// An action that spans, the observer or the metrics report.
pub(super) struct ObservedAction {
    /// Its index in the [`ActionTable`].
    index: usize,
    /// `None` if it is disabled.
    pub(super) span: Option<ContainedSpan>,
    started_at: Instant,
    /// Whether the gauge of active actions has counted it.
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "only the metrics have a gauge"))]
    is_metered: bool,
    /// Whether the observer knows that it has started.
    is_announced: bool,
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
    pub(super) fn observe_action(&self, index: impl FnOnce(&ActionTable) -> usize) -> Option<Box<ObservedAction>> {
        if self.has_receiver() || may_be_enabled() { self.new_observed_action(index) } else { None }
    }

    #[cold]
    fn new_observed_action(&self, index: impl FnOnce(&ActionTable) -> usize) -> Option<Box<ObservedAction>> {
        let index = LazyCell::new(|| index(self.actions));
        let span = action_span(|| self.actions.name(*index));
        if span.is_none() && !self.has_receiver() {
            return None;
        }
        let index = *index;
        #[cfg(feature = "metrics")]
        let is_metered = self.record(|instruments| instruments.record_action_start(index));
        #[cfg(not(feature = "metrics"))]
        let is_metered = false;
        Some(Box::new(ObservedAction { index, span, started_at: Instant::now(), is_metered, is_announced: false }))
    }

    /// Tells the observer that an action has started, when it is pending for the first time.
    #[cold]
    pub(super) fn announce_action(&self, observed: &mut ObservedAction) {
        if !std::mem::replace(&mut observed.is_announced, true) {
            let ActionName { action, route } = self.actions.name(observed.index);
            self.observe(|consumer| Observation::ActionStarted(ActionStarted { consumer, action, route }));
        }
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
        if let Some(span) = &observed.span {
            record_end(span, status, duration);
        }
        #[cfg(feature = "metrics")]
        {
            if observed.is_metered {
                self.record(|instruments| instruments.record_end_of_action(observed.index));
            }
            self.record(|instruments| instruments.record_action_duration(observed.index, status, duration));
        }
        self.observe(|consumer| {
            let ActionName { action, route } = self.actions.name(observed.index);
            let outcome = ActionOutcome::of(status);
            let finished = ActionFinished { consumer, action, route, status, outcome, duration };
            if observed.is_announced { Observation::ActionFinished(finished) } else { Observation::ActionRan(finished) }
        });
    }
}
