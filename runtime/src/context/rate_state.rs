//! Whether the message of a call is counted by the rate of its action.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Result};

/// What the rate of an action has decided about a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum RateOutcome {
    #[default]
    Unchecked,
    /// It is counted, which happens once.
    Counted,
    /// It is refused with 429.
    Exceeded,
}

/// The outcome of a call's message so far.
#[derive(Debug, Default)]
pub(crate) struct RateState {
    is_counted: AtomicBool,
    is_exceeded: AtomicBool,
}

impl RateState {
    pub(super) fn new(outcome: RateOutcome) -> RateState {
        RateState {
            is_counted: AtomicBool::new(outcome == RateOutcome::Counted),
            is_exceeded: AtomicBool::new(outcome == RateOutcome::Exceeded),
        }
    }

    pub(crate) fn outcome(&self) -> RateOutcome {
        if self.is_exceeded.load(Ordering::Relaxed) {
            RateOutcome::Exceeded
        } else if self.is_counted.load(Ordering::Relaxed) {
            RateOutcome::Counted
        } else {
            RateOutcome::Unchecked
        }
    }

    /// Calls `count` unless the message is counted, and records the outcome.
    ///
    /// # Errors
    ///
    /// Fails as `count` does. The message is not counted then.
    pub(super) fn count_once(&self, count: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.is_counted.load(Ordering::Relaxed) {
            return Ok(());
        }
        let outcome = count();
        match &outcome {
            Ok(()) => self.is_counted.store(true, Ordering::Relaxed),
            // A fault is not a decision of the rate.
            Err(error) => self.is_exceeded.store(!error.is_fault(), Ordering::Relaxed),
        }
        outcome
    }

    /// Passes a message whose permissions alone are evaluated again, as far as they were before.
    ///
    /// # Errors
    ///
    /// Fails with [`Error::authorized_only`] if the message was refused here: what follows was not evaluated then.
    pub(super) fn pass_again(&self) -> Result<()> {
        if self.is_exceeded.load(Ordering::Relaxed) { Err(Error::authorized_only()) } else { Ok(()) }
    }
}
