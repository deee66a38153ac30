//! Evaluation of permission expressions, leaf by leaf: each leaf at most once.
//!
//! Generated code passes a closure that evaluates one leaf: to [`evaluate`] for a message or a join, to [`evaluate_connect`]
//! or [`evaluate_strict_connect`] for a connection, to [`evaluate_event`] for an event. Leaves about objects are evaluated
//! in a second phase, see [`ObjectEvaluation`](super::ObjectEvaluation). An expression that is a single leaf needs no
//! closure, see [`SingleLeaf`](super::SingleLeaf).

use std::fmt;
use std::ops::ControlFlow;

use super::kept_leaves::{keep, kept_answers};
use super::{Answers, Expression, Refused};
use crate::context::{Call, ConnectContext};
use crate::error::{Error, Result};

/// The value of an expression or a leaf; `None` is no opinion.
type Decision = Option<bool>;

/// Maximum number of distinct leaves of an expression: the bits of [`Answers`].
const MAX_LEAVES: u8 = 64;

/// Evaluates an expression for a message, a join, or a strict connect check. Returns `proof` if it holds; no opinion denies.
/// The leaves in the bit set `kept_leaves` are evaluated once per message.
///
/// # Errors
///
/// Fails with 403 if the expression does not hold. An error of a leaf ends the evaluation, whatever operators surround the
/// leaf. Both carry the text of the leaf for the log.
#[inline]
pub fn evaluate<U, P, F, A, T>(
    call: &Call<'_, U>,
    expression: &'static Expression,
    kept_leaves: u64,
    proof: P,
    evaluate_leaf: F,
) -> impl Future<Output = Result<P>>
where
    F: Fn(u8) -> A,
    A: Future<Output = Result<T>>,
    T: Into<Option<bool>>,
{
    let evaluation = CallEvaluation::new(call, expression, kept_leaves);
    run(evaluation, Evaluation::next, evaluate_leaf, move |mut evaluation| evaluation.finish(proof))
}

/// Evaluates an expression for a connect check. No opinion permits the connection.
///
/// # Errors
///
/// Fails with 403 if the expression is false; otherwise as [`evaluate`].
#[inline]
pub fn evaluate_connect<U, F, A>(
    cx: &ConnectContext<'_, U>,
    expression: &'static Expression,
    evaluate_leaf: F,
) -> impl Future<Output = Result<()>>
where
    F: Fn(u8) -> A,
    A: Future<Output = Result<Option<bool>>>,
{
    let evaluation = CallEvaluation::new(cx.call(), expression, 0);
    run(evaluation, Evaluation::next, evaluate_leaf, |evaluation| evaluation.state.finish_connect())
}

/// Evaluates an expression for a strict connect check. Without an opinion the connection is refused.
///
/// # Errors
///
/// Fails as [`evaluate`] does.
#[inline]
pub fn evaluate_strict_connect<U, F, A>(
    cx: &ConnectContext<'_, U>,
    expression: &'static Expression,
    evaluate_leaf: F,
) -> impl Future<Output = Result<()>>
where
    F: Fn(u8) -> A,
    A: Future<Output = Result<Option<bool>>>,
{
    evaluate(cx.call(), expression, 0, (), evaluate_leaf)
}

/// Evaluates an expression for an event and a subscriber. Returns whether the subscriber may see the event, or `None` if
/// grants must be loaded first. A refusal of a leaf ends the evaluation, whatever operators surround the leaf.
#[inline]
pub fn evaluate_event(
    expression: &'static Expression,
    evaluate_leaf: impl Fn(u8) -> Result<Option<bool>, Refused>,
) -> Option<bool> {
    let mut evaluation = Evaluation::new(expression);
    while let Some(leaf) = evaluation.next() {
        match evaluate_leaf(leaf) {
            Ok(answer) if evaluation.record(Ok(answer)).is_ok() => {}
            Ok(_) | Err(Refused) => return Some(false),
        }
    }
    evaluation.outcome.unwrap_or(Some(false))
}

/// Returns the value of an expression for an event that is a single leaf: as [`evaluate_event`].
#[inline]
pub fn event_decision(answer: Result<Option<bool>, Refused>) -> Option<bool> {
    answer.unwrap_or(Some(false))
}

/// Evaluates leaf after leaf until the expression is decided.
#[inline]
#[expect(clippy::manual_async_fn, reason = "an `async fn` would store its arguments twice in the connection's future")]
pub(super) fn run<'c, 'a, U, N, F, A, T, R, P>(
    mut evaluation: CallEvaluation<'c, 'a, U>,
    next: N,
    evaluate_leaf: F,
    finish: R,
) -> impl Future<Output = Result<P>>
where
    N: Fn(&mut Evaluation) -> Option<u8>,
    F: Fn(u8) -> A,
    A: Future<Output = Result<T>>,
    T: Into<Option<bool>>,
    R: FnOnce(CallEvaluation<'c, 'a, U>) -> Result<P>,
{
    async move {
        while let Some(leaf) = next(&mut evaluation.state) {
            let answer = evaluate_leaf(leaf).await;
            evaluation.state.record(answer)?;
        }
        finish(evaluation)
    }
}

/// The evaluation of one expression: decides which leaf comes next, and what the results amount to.
pub(super) struct Evaluation {
    pub(super) expression: &'static Expression,
    pub(super) answers: Answers,
    /// The leaf that is being evaluated.
    pub(super) pending_leaf: Option<u8>,
    /// The leaf evaluated last: the one that decided.
    last_leaf: Option<u8>,
    /// A leaf with a capture that does not parse. It has no opinion, and an expression that is not false ends with 404.
    pub(super) malformed_leaf: Option<u8>,
    /// `None` until the expression is decided.
    pub(super) outcome: Option<Decision>,
}

impl Evaluation {
    #[inline]
    fn new(expression: &'static Expression) -> Evaluation {
        let answers = Answers::default();
        Evaluation { expression, answers, pending_leaf: None, last_leaf: None, malformed_leaf: None, outcome: None }
    }

    /// Returns the leaf to evaluate next, or `None` if the expression is decided.
    #[inline]
    pub(super) fn next(&mut self) -> Option<u8> {
        match self.expression.tree.evaluate(&self.answers) {
            ControlFlow::Break(leaf) => {
                self.pending_leaf = Some(leaf);
                self.pending_leaf
            }
            ControlFlow::Continue(outcome) => {
                self.outcome = Some(outcome);
                None
            }
        }
    }

    /// Records the result of the leaf. An error ends the evaluation, whatever operators surround the leaf, unless it is that
    /// of a capture: whether the route exists is told only to callers whom the other leaves do not deny.
    #[inline]
    pub(super) fn record<A: Into<Option<bool>>>(&mut self, answer: Result<A>) -> Result<()> {
        self.last_leaf = self.pending_leaf.take();
        match (answer, self.last_leaf) {
            (Ok(answer), Some(leaf)) if leaf < MAX_LEAVES => {
                self.answers.record(leaf, answer.into());
                Ok(())
            }
            // The result cannot be recorded, so `next` would return this leaf forever.
            (Ok(_), Some(_)) => Err(bug("bug: an expression has more than 64 leaves")),
            (Ok(_), None) => Err(bug("bug: a result was recorded without a pending leaf")),
            (Err(error), leaf) => self.record_error(error, leaf),
        }
    }

    /// Separate and cold, so that the code for a leaf with an answer is small.
    #[cold]
    fn record_error(&mut self, error: Error, leaf: Option<u8>) -> Result<()> {
        match leaf {
            Some(leaf) if error.is_malformed_capture() && leaf < MAX_LEAVES => {
                self.malformed_leaf = Some(leaf);
                self.answers.record(leaf, None);
                Ok(())
            }
            Some(leaf) => Err(with_leaf(error, self.expression, leaf)),
            None => Err(error),
        }
    }

    /// Returns `proof` if the expression is true, otherwise 403. No opinion denies.
    #[inline]
    pub(super) fn finish<P>(&self, proof: P) -> Result<P> {
        if self.outcome == Some(Some(true)) && self.malformed_leaf.is_none() { Ok(proof) } else { Err(self.refusal()) }
    }

    /// Returns 404 if a capture does not parse and the expression is not false, otherwise 403. The outcome of the object
    /// phase does not tell: there, a leaf without an opinion counts as false.
    #[cold]
    pub(super) fn refusal(&self) -> Error {
        let is_false = self.expression.tree.evaluate(&self.answers) == ControlFlow::Continue(Some(false));
        match self.malformed_leaf {
            Some(leaf) if !is_false => with_leaf(Error::not_found().into_message_error(), self.expression, leaf),
            _ => self.denied(),
        }
    }

    /// Refuses a connection with 403 if the expression is false. No opinion permits.
    #[inline]
    fn finish_connect(&self) -> Result<()> {
        match self.outcome {
            Some(Some(true) | None) => Ok(()),
            Some(Some(false)) | None => Err(self.denied()),
        }
    }

    #[cold]
    fn denied(&self) -> Error {
        self.last_leaf.map_or_else(Error::denied, |leaf| denied(self.expression, leaf))
    }
}

impl fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluation").field("expression", &self.expression.to_string()).finish_non_exhaustive()
    }
}

/// An [`Evaluation`] for a message or a connection.
pub(super) struct CallEvaluation<'c, 'a, U> {
    call: &'c Call<'a, U>,
    /// The leaves whose answers are kept with the message.
    kept_leaves: u64,
    pub(super) state: Evaluation,
}

impl<'c, 'a, U> CallEvaluation<'c, 'a, U> {
    #[inline]
    pub(super) fn new(
        call: &'c Call<'a, U>,
        expression: &'static Expression,
        kept_leaves: u64,
    ) -> CallEvaluation<'c, 'a, U> {
        let mut state = Evaluation::new(expression);
        if kept_leaves != 0 {
            state.answers = kept_answers(call);
        }
        CallEvaluation { call, kept_leaves, state }
    }

    /// Returns `proof` if the expression is true, otherwise 403. No opinion denies. Keeps the answers of the leaves that are
    /// evaluated once per message.
    #[inline]
    pub(super) fn finish<P>(&mut self, proof: P) -> Result<P> {
        if self.kept_leaves != 0 {
            keep(self.call, self.kept_leaves, &self.state.answers);
        }
        self.state.finish(proof)
    }
}

/// Records the pending leaf in the call, for the log: its check panicked or timed out.
impl<U> Drop for CallEvaluation<'_, '_, U> {
    #[inline]
    fn drop(&mut self) {
        if let Some(leaf) = self.state.pending_leaf {
            record_unanswered(self.call, self.state.expression, leaf);
        }
    }
}

#[cold]
fn bug(invariant: &'static str) -> Error {
    Error::internal(invariant)
}

fn leaf_text(expression: &Expression, leaf: u8) -> &'static str {
    expression.leaves.get(usize::from(leaf)).copied().unwrap_or("?")
}

/// Adds the text of the leaf to the error, for the log.
#[cold]
pub(super) fn with_leaf(error: Error, expression: &Expression, leaf: u8) -> Error {
    error.with_leaf(leaf_text(expression, leaf))
}

#[cold]
pub(super) fn denied(expression: &Expression, leaf: u8) -> Error {
    with_leaf(Error::denied(), expression, leaf)
}

#[cold]
pub(super) fn record_unanswered<U>(call: &Call<'_, U>, expression: &Expression, leaf: u8) {
    call.record_unanswered(leaf_text(expression, leaf));
}

#[cfg(test)]
mod tests;
