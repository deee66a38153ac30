//! Counts and reports the actions that a dispatcher runs.

use http::StatusCode;

use super::dispatcher::Dispatcher;
use super::outcome::Outcome;
use crate::consumer::Consumer;
use crate::error::Error;
use crate::message::Reply;
use crate::observe::{ActionTable, RunningAction};

impl<C: Consumer> Dispatcher<C> {
    /// Counts an action as started. `index` returns its index in the [`ActionTable`].
    #[inline]
    pub(super) fn begin_action(&self, index: impl FnOnce(&ActionTable) -> usize) -> RunningAction<'_> {
        if self.is_blocking_thread {
            // The dispatcher that waits for this thread counts it.
            return RunningAction::uncounted();
        }
        self.session.registry.telemetry.begin_action(index)
    }

    /// Counts an action as ended, or as one whose stream has begun.
    #[inline]
    pub(super) fn finish_action(&self, running: RunningAction<'_>, outcome: &Outcome, reply: &mut Reply) {
        if reply.is_stream() && !self.is_blocking_thread {
            reply.observe_stream(|| running.into_stream(&self.session.registry.telemetry));
        } else {
            running.finish(self.status(outcome, reply));
        }
    }

    /// Returns the status of the reply, or 499 if the message was cancelled, so that another reply replaces this one, or its
    /// session has ended.
    #[inline]
    fn status(&self, outcome: &Outcome, reply: &Reply) -> StatusCode {
        match outcome {
            Outcome::SessionEnded => Error::cancelled().status(),
            Outcome::Completed { .. } | Outcome::Refused if self.is_cancelled() => Error::cancelled().status(),
            _ => reply.status(),
        }
    }
}
