//! Evaluation of permission expressions, leaf by leaf: each leaf at most once.
//!
//! Generated code passes a closure that evaluates one leaf: to [`evaluate`] for a message or a join, to
//! [`evaluate_connect`] or [`evaluate_strict_connect`] for a connection, to [`evaluate_event`] for an event. Leaves about objects are evaluated in a
//! second phase, see [`ObjectEvaluation`](super::ObjectEvaluation). An expression that is a single leaf needs no closure, see
//! [`SingleLeaf`](super::SingleLeaf).

use std::fmt;
use std::ops::ControlFlow;

use super::{Answers, Expression, Refused};
use crate::context::{Call, ConnectContext};
use crate::error::{Error, Result};

/// The value of an expression or a leaf; `None` is no opinion.
type Decision = Option<bool>;

/// Maximum number of distinct leaves of an expression: the bits of [`Answers`].
const MAX_LEAVES: u8 = 64;

/// Evaluates an expression for a message, a join, or a strict connect check. Returns `proof` if it holds; no opinion denies.
///
/// # Errors
///
/// Fails with 403 if the expression does not hold. An error of a leaf ends the evaluation, whatever operators surround the
/// leaf. Both carry the text of the leaf for the log.
#[inline]
pub fn evaluate<U, P, F, A, T>(
    call: &Call<'_, U>,
    expression: &'static Expression,
    proof: P,
    evaluate_leaf: F,
) -> impl Future<Output = Result<P>>
where
    F: Fn(u8) -> A,
    A: Future<Output = Result<T>>,
    T: Into<Option<bool>>,
{
    let evaluation = CallEvaluation::new(call, expression);
    run(evaluation, Evaluation::next, evaluate_leaf, move |evaluation| evaluation.state.finish(proof))
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
    let evaluation = CallEvaluation::new(cx.call(), expression);
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
    evaluate(cx.call(), expression, (), evaluate_leaf)
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
            (Ok(_), Some(_)) => Err(Error::internal("bug: an expression has more than 64 leaves")),
            (Ok(_), None) => Err(Error::internal("bug: a result was recorded without a pending leaf")),
            (Err(error), Some(leaf)) if error.is_malformed_capture() && leaf < MAX_LEAVES => {
                self.malformed_leaf = Some(leaf);
                self.answers.record(leaf, None);
                Ok(())
            }
            (Err(error), Some(leaf)) => Err(with_leaf(error, self.expression, leaf)),
            (Err(error), None) => Err(error),
        }
    }

    /// Returns `proof` if the expression is true, otherwise 403. No opinion denies.
    #[inline]
    pub(super) fn finish<P>(&self, proof: P) -> Result<P> {
        if self.outcome == Some(Some(true)) && self.malformed_leaf.is_none() { Ok(proof) } else { Err(self.refusal()) }
    }

    /// Returns 404 if a capture does not parse and the expression is not false, otherwise 403. The outcome of the object phase
    /// does not tell: there, a leaf without an opinion counts as false.
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
    pub(super) state: Evaluation,
}

impl<'c, 'a, U> CallEvaluation<'c, 'a, U> {
    #[inline]
    pub(super) fn new(call: &'c Call<'a, U>, expression: &'static Expression) -> CallEvaluation<'c, 'a, U> {
        CallEvaluation { call, state: Evaluation::new(expression) }
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
mod tests {
    use std::cell::Cell;
    use std::future::{pending, ready};
    use std::task::{Context, Waker};

    use super::*;
    use crate::context::Scope;
    use crate::message::Envelope;
    use crate::permission::Expr;

    const FRIEND_AND_NOT_BANNED: &Expression = &Expression {
        tree: Expr::All(&[Expr::Leaf(0), Expr::Not(&Expr::Leaf(1))]),
        leaves: &["Friend", "Banned"],
        has_codenames: false,
    };

    fn with_call(test: impl FnOnce(&Call<'_, ()>)) {
        let (parts, ()) = http::Request::new(()).into_parts();
        let (scope, head) = (Scope::new(None, parts), Envelope::default());
        test(&Call::new(&scope, &head, &[], &[], &[]));
    }

    #[test]
    fn refusal_names_deciding_leaf() {
        with_call(|call| {
            let mut evaluation = Evaluation::new(FRIEND_AND_NOT_BANNED);
            assert_eq!(evaluation.next(), Some(0));
            evaluation.record(Ok(true)).unwrap();
            assert_eq!(evaluation.next(), Some(1));
            evaluation.record(Ok(true)).unwrap();
            assert_eq!(evaluation.next(), None);
            let error = evaluation.finish(()).unwrap_err();
            assert_eq!((error.status().as_u16(), error.leaf()), (403, Some("Banned")));

            let mut evaluation = CallEvaluation::new(call, FRIEND_AND_NOT_BANNED);
            evaluation.state.next();
            let error = evaluation.state.record::<bool>(Err(Error::not_found())).unwrap_err();
            assert_eq!((error.status().as_u16(), error.leaf()), (404, Some("Friend")));
            drop(evaluation);
            assert_eq!(call.unanswered(), None);
        });
    }

    #[test]
    fn unfinished_evaluation_denies() {
        assert_eq!(Evaluation::new(FRIEND_AND_NOT_BANNED).finish(()).unwrap_err().status().as_u16(), 403);
        assert_eq!(Evaluation::new(FRIEND_AND_NOT_BANNED).finish_connect().unwrap_err().status().as_u16(), 403);
        assert_eq!(Evaluation::new(FRIEND_AND_NOT_BANNED).finish(()).unwrap_err().status().as_u16(), 403);
        let mut evaluation = Evaluation::new(FRIEND_AND_NOT_BANNED);
        evaluation.next();
        evaluation.record(Ok(true)).unwrap();
        assert_eq!(evaluation.finish_connect().unwrap_err().leaf(), Some("Friend"));
    }

    #[test]
    fn unexpected_answer_is_internal_error() {
        let mut evaluation = Evaluation::new(FRIEND_AND_NOT_BANNED);
        assert!(evaluation.record(Ok(true)).unwrap_err().is_fault());
        evaluation.next();
        evaluation.record(Ok(true)).unwrap();
        assert!(evaluation.record(Ok(true)).unwrap_err().is_fault());
    }

    #[test]
    fn dropped_evaluation_records_pending_leaf() {
        with_call(|call| {
            let mut evaluation = CallEvaluation::new(call, FRIEND_AND_NOT_BANNED);
            evaluation.state.next();
            drop(evaluation);
            assert_eq!(call.unanswered(), Some("Friend"));
            assert_eq!(
                format!("{:?}", Evaluation::new(FRIEND_AND_NOT_BANNED)),
                r#"Evaluation { expression: "Friend & !Banned", .. }"#
            );
        });
    }

    #[test]
    fn leaf_65_is_internal_error() {
        const LEAVES_65: &Expression = &Expression {
            tree: Expr::Any(&[Expr::Leaf(63), Expr::Leaf(64)]),
            leaves: &["Leaf"; 65],
            has_codenames: false,
        };
        let mut evaluation = Evaluation::new(LEAVES_65);
        assert_eq!(evaluation.next(), Some(63));
        evaluation.record(Ok(false)).unwrap();
        assert_eq!(evaluation.next(), Some(64));
        assert!(evaluation.record(Ok(true)).unwrap_err().is_fault());
        assert!(evaluation.finish(()).is_err());
        // An evaluation for an event refuses instead of asking for the leaf again.
        assert_eq!(evaluate_event(LEAVES_65, |leaf| Ok(Some(leaf == 64))), Some(false));
    }

    const FRIEND: &Expression = &Expression { tree: Expr::Leaf(0), leaves: &["Friend"], has_codenames: false };

    #[test]
    fn evaluate_asks_leaves_until_decided() {
        with_call(|call| {
            let answers = |friend, banned| {
                let asked = Cell::new(0);
                let answer = |leaf: u8| {
                    asked.set(asked.get() + 1);
                    ready(Ok([friend, banned][usize::from(leaf)]))
                };
                let evaluated = pollster::block_on(evaluate(call, FRIEND_AND_NOT_BANNED, "proof", answer));
                (asked.get(), evaluated.map_err(|error| error.leaf()))
            };
            assert_eq!(answers(true, false), (2, Ok("proof")));
            assert_eq!(answers(true, true), (2, Err(Some("Banned"))));
            assert_eq!(answers(false, false), (1, Err(Some("Friend"))));
            let failed = pollster::block_on(evaluate(call, FRIEND_AND_NOT_BANNED, (), |_| {
                ready(Err::<bool, _>(Error::not_found()))
            }));
            assert_eq!(failed.unwrap_err().leaf(), Some("Friend"));
            assert_eq!(call.unanswered(), None);
        });
    }

    #[test]
    fn evaluate_dropped_while_a_leaf_waits_records_the_leaf() {
        with_call(|call| {
            let mut evaluation = Box::pin(evaluate(call, FRIEND_AND_NOT_BANNED, (), |leaf| async move {
                if leaf == 1 { pending().await } else { Ok(true) }
            }));
            assert!(evaluation.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            assert_eq!(call.unanswered(), None);
            drop(evaluation);
            assert_eq!(call.unanswered(), Some("Banned"));
        });
    }

    #[test]
    fn connect_is_permitted_without_opinion_unless_strict() {
        let (parts, ()) = http::Request::new(()).into_parts();
        let (scope, head) = (Scope::<()>::new(None, parts), Envelope::default());
        let cx = ConnectContext::new(&scope, &head);
        for (answer, is_permitted, is_permitted_strictly) in
            [(Some(true), true, true), (None, true, false), (Some(false), false, false)]
        {
            let evaluate_leaf = |_| ready(Ok(answer));
            let connect = pollster::block_on(evaluate_connect(&cx, FRIEND, evaluate_leaf));
            let strict = pollster::block_on(evaluate_strict_connect(&cx, FRIEND, evaluate_leaf));
            assert_eq!((connect.is_ok(), strict.is_ok()), (is_permitted, is_permitted_strictly), "{answer:?}");
        }
    }

    #[test]
    fn event_is_undecided_while_a_leaf_is() {
        let evaluate =
            |friend, banned| evaluate_event(FRIEND_AND_NOT_BANNED, |leaf| Ok([friend, banned][usize::from(leaf)]));
        assert_eq!(evaluate(Some(true), Some(false)), Some(true));
        assert_eq!(evaluate(Some(true), None), None);
        assert_eq!(evaluate(None, Some(true)), Some(false));
    }

    #[test]
    fn event_is_refused_by_a_leaf_whatever_the_operators() {
        const NOT_BANNED_OR_FRIEND: &Expression = &Expression {
            tree: Expr::Any(&[Expr::Not(&Expr::Leaf(0)), Expr::Leaf(1)]),
            leaves: &["Banned", "Friend"],
            has_codenames: false,
        };
        let evaluate =
            |banned| evaluate_event(NOT_BANNED_OR_FRIEND, |leaf| if leaf == 0 { banned } else { Ok(Some(true)) });
        assert_eq!((evaluate(Ok(Some(true))), evaluate(Err(Refused))), (Some(true), Some(false)));
        assert_eq!((event_decision(Ok(None)), event_decision(Err(Refused))), (None, Some(false)));
    }

    #[test]
    fn malformed_capture_is_not_found_unless_the_expression_is_false() {
        for (banned, status) in [(Some(true), 403), (Some(false), 404), (None, 404)] {
            let mut evaluation = Evaluation::new(FRIEND_AND_NOT_BANNED);
            assert_eq!(evaluation.next(), Some(0));
            evaluation.record::<bool>(Err(Error::not_found().into_message_error())).unwrap();
            assert_eq!(evaluation.next(), Some(1));
            evaluation.record(Ok(banned)).unwrap();
            assert_eq!(evaluation.next(), None);
            let error = evaluation.finish(()).unwrap_err();
            let leaf = if status == 404 { "Friend" } else { "Banned" };
            assert_eq!((error.status().as_u16(), error.leaf()), (status, Some(leaf)), "{banned:?}");
        }
    }
}
