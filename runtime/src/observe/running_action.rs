//! An action in progress, as it is counted and reported.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::StatusCode;
use pin_project_lite::pin_project;

use super::ActionTable;
use super::observed_action::ObservedAction;
use super::telemetry::Telemetry;
use crate::error::Error;
use crate::message::StreamObservation;
use crate::panic::ContainedSpan;

/// An action from the evaluation of its message to its reply. Without one, because it was dropped, it counts as cancelled.
pub(crate) struct RunningAction<'t> {
    /// `None` if it is counted elsewhere, or was counted as ended.
    telemetry: Option<&'t Telemetry>,
    observed: Option<ObservedAction>,
}

/// An action whose stream has begun.
struct StreamingAction {
    telemetry: Arc<Telemetry>,
    observed: Option<ObservedAction>,
    /// The status of the last reply, once it is written.
    status: Option<StatusCode>,
}

pin_project! {
    /// A part of an action, see [`RunningAction::run`]. Not an `async fn`, which would store the part twice.
    pub(crate) struct ActionPart<'a, 't, F> {
        #[pin]
        part: F,
        action: &'a mut RunningAction<'t>,
    }
}

impl Telemetry {
    /// Counts an action as started. `index` returns its index in the [`ActionTable`], and is called if anything reports it.
    #[inline]
    pub(crate) fn begin_action(&self, index: impl FnOnce(&ActionTable) -> usize) -> RunningAction<'_> {
        self.record_action_start();
        // Before anything is reported: from here on its end is counted.
        let mut running = RunningAction { telemetry: Some(self), observed: None };
        running.observed = self.observe_action(index);
        running
    }
}

impl<'t> RunningAction<'t> {
    /// Creates an action that is counted elsewhere.
    pub(crate) fn uncounted() -> RunningAction<'t> {
        RunningAction { telemetry: None, observed: None }
    }

    /// Runs a part of the action, which does not wait, in its span.
    pub(crate) fn in_scope<T>(&self, part: impl FnOnce() -> T) -> T {
        match self.observed.as_ref().and_then(|observed| observed.span.as_deref()) {
            Some(span) => span.in_scope(part),
            None => part(),
        }
    }

    /// Runs a part of the action in its span.
    #[inline]
    pub(crate) fn run<F: Future>(&mut self, part: F) -> ActionPart<'_, 't, F> {
        ActionPart { part, action: self }
    }

    /// Counts the action as ended.
    #[inline]
    pub(crate) fn finish(mut self, status: StatusCode) {
        self.end(status);
    }

    /// Keeps the action in progress until its stream ends.
    #[cold]
    pub(crate) fn into_stream(mut self, telemetry: &Arc<Telemetry>) -> Box<dyn StreamObservation> {
        self.telemetry = None;
        let mut observed = self.observed.take();
        if let Some(observed) = &mut observed {
            telemetry.report_wait(observed);
        }
        telemetry.streams.increment();
        Box::new(StreamingAction { telemetry: telemetry.clone(), observed, status: None })
    }

    #[inline]
    fn end(&mut self, status: StatusCode) {
        if let Some(telemetry) = self.telemetry.take() {
            telemetry.end_action(status, self.observed.take());
        }
    }
}

impl<F: Future> Future for ActionPart<'_, '_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let RunningAction { telemetry, observed } = &mut **this.action;
        let (Some(telemetry), Some(observed)) = (telemetry, observed) else { return this.part.poll(cx) };
        let poll = match &observed.span {
            Some(span) => span.in_scope(|| this.part.poll(cx)),
            None => this.part.poll(cx),
        };
        if poll.is_pending() {
            telemetry.report_wait(observed);
        }
        poll
    }
}

impl Drop for RunningAction<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.telemetry.is_some() {
            self.end(Error::cancelled().status());
        }
    }
}

impl StreamObservation for StreamingAction {
    fn span(&self) -> Option<&ContainedSpan> {
        self.observed.as_ref()?.span.as_deref()
    }

    fn record_status(&mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for StreamingAction {
    fn drop(&mut self) {
        self.telemetry.streams.decrement();
        let status = self.status.unwrap_or_else(|| Error::cancelled().status());
        self.telemetry.end_action(status, self.observed.take());
    }
}
