//! Refusals: the reply and the log entry of a message that is not answered by its action.

use super::outcome::Outcome;
use super::report::report;
use crate::context::{Call, User};
use crate::dialect::{Dialect, Native};
use crate::error::Error;
use crate::message::Reply;

/// Refuses a message because its evaluation or its action failed.
#[cold]
pub(super) fn fail<U: User>(mut call: Call<'_, U>, error: &Error, reply: &mut Reply) -> Outcome {
    refuse(&call, error, reply);
    if call.is_over_rate() {
        // Only a caller whom the permissions admit so far learns of the rate.
        return unstarted(call);
    }
    if !call.is_authorized() {
        return Outcome::Refused;
    }
    // An error of the action may show what only an authorized caller may see, so it is reauthorized like any reply.
    let (evaluation_epoch, mut side_effects) = (call.evaluation_epoch(), call.take_side_effects());
    if let Some(effects) = &mut side_effects {
        effects.discard();
    }
    Outcome::Completed { has_reply: true, has_started: call.has_started(), evaluation_epoch, side_effects }
}

/// Returns the outcome of a message that is refused although its permissions hold. Like every reply that only an authorized
/// caller may see, the refusal is reauthorized if rights change before it is sent.
pub(super) fn unstarted<U>(mut call: Call<'_, U>) -> Outcome {
    let (evaluation_epoch, side_effects) = (call.evaluation_epoch(), call.take_kept_answers());
    Outcome::Completed { has_reply: true, has_started: false, evaluation_epoch, side_effects }
}

/// Refuses a message because its time limit expired.
#[cold]
pub(super) fn fail_timeout<U: User>(call: Call<'_, U>, reply: &mut Reply) -> Outcome {
    let error = timeout_error(&call);
    fail(call, &error, reply)
}

/// Returns the error of an evaluation whose time limit expired: a fault (500) if a check was still running, 408 if the
/// action was.
pub(super) fn timeout_error<U: User>(call: &Call<'_, U>) -> Error {
    match call.unanswered() {
        Some(leaf) => Error::internal("the check took too long").with_leaf(leaf),
        None => Error::timeout(),
    }
}

/// Logs a refusal and writes its reply, which is not part of a stream.
#[cold]
pub(super) fn refuse<U: User>(call: &Call<'_, U>, error: &Error, reply: &mut Reply) {
    let id = report(call, error);
    Native::refuse(reply, &call.head().echo, error, id.as_deref(), None);
}
