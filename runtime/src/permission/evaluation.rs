//! Evaluation of one expression, leaf by leaf: each leaf at most once.

use std::fmt;
use std::ops::ControlFlow;

use super::{Answers, Expression};
use crate::context::{Authorized, Call, ConnectContext};
use crate::error::{Error, Result};

/// The value of an expression or a leaf; `None` is no opinion.
type Decision = Option<bool>;

/// Maximum number of distinct leaves of an expression: the bits of [`Answers`].
const MAX_LEAVES: u8 = 64;

/// The evaluation of one expression for one message or one connection.
///
/// Generated code loops over [`next`](Evaluation::next), evaluates that leaf, records the result with
/// [`record`](Evaluation::record) and calls [`finish`](Evaluation::finish). This type decides which leaf comes next and what the
/// results amount to.
pub struct Evaluation<'c, 'a, U> {
    call: &'c Call<'a, U>,
    pub(super) expression: &'static Expression,
    pub(super) answers: Answers,
    /// The leaf that is being evaluated.
    pub(super) pending_leaf: Option<u8>,
    /// The leaf evaluated last: the one that decided.
    last_leaf: Option<u8>,
    /// `None` until the expression is decided.
    pub(super) outcome: Option<Decision>,
}

impl<'a, U> Call<'a, U> {
    /// Starts the evaluation of an expression.
    pub fn start_evaluation<'c>(&'c self, expression: &'static Expression) -> Evaluation<'c, 'a, U> {
        Evaluation {
            call: self,
            expression,
            answers: Answers::default(),
            pending_leaf: None,
            last_leaf: None,
            outcome: None,
        }
    }
}

impl<'a, U> ConnectContext<'a, U> {
    /// Starts the evaluation of an expression.
    pub fn start_evaluation<'c>(&'c self, expression: &'static Expression) -> Evaluation<'c, 'a, U> {
        self.call().start_evaluation(expression)
    }
}

impl<U> Evaluation<'_, '_, U> {
    /// Returns the leaf to evaluate next, or `None` if the expression is decided.
    #[expect(clippy::should_implement_trait, reason = "the adapters of `Iterator` would skip recording results")]
    pub fn next(&mut self) -> Option<u8> {
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

    /// Records the result of the leaf. An error ends the evaluation, whatever operators surround the leaf.
    pub fn record<A: Into<Option<bool>>>(&mut self, answer: Result<A>) -> Result<()> {
        self.last_leaf = self.pending_leaf.take();
        match (answer, self.last_leaf) {
            // The result cannot be recorded, so `next` would return this leaf forever.
            (Ok(_), Some(leaf)) if leaf >= MAX_LEAVES => {
                Err(Error::internal("bug: an expression has more than 64 leaves"))
            }
            (Ok(answer), Some(leaf)) => {
                self.answers.record(leaf, answer.into());
                Ok(())
            }
            (Ok(_), None) => Err(Error::internal("bug: a result was recorded without a pending leaf")),
            (Err(error), _) => Err(self.with_leaf(error)),
        }
    }

    /// Returns `admitted` if the expression is true, otherwise 403. No opinion denies.
    pub fn finish(&self, admitted: Authorized) -> Result<Authorized> {
        if self.outcome == Some(Some(true)) { Ok(admitted) } else { Err(self.with_leaf(Error::denied())) }
    }

    /// Refuses a connection with 403 if the expression is false. No opinion permits.
    pub fn finish_connect(&self) -> Result<()> {
        match self.outcome {
            Some(Some(true) | None) => Ok(()),
            Some(Some(false)) | None => Err(self.with_leaf(Error::denied())),
        }
    }

    /// Refuses to join a group with 403 unless the expression is true.
    pub fn finish_join(&self) -> Result<()> {
        self.finish_strict_connect()
    }

    /// Refuses a connection with 403 unless the expression is true.
    pub fn finish_strict_connect(&self) -> Result<()> {
        if self.outcome == Some(Some(true)) { Ok(()) } else { Err(self.with_leaf(Error::denied())) }
    }

    fn leaf_text(&self, leaf: u8) -> &'static str {
        self.expression.leaves.get(usize::from(leaf)).copied().unwrap_or("?")
    }

    /// Adds the text of the last evaluated leaf to the error, for the log.
    pub(super) fn with_leaf(&self, error: Error) -> Error {
        match self.last_leaf {
            Some(leaf) => error.with_leaf(self.leaf_text(leaf)),
            None => error,
        }
    }
}

/// Records the pending leaf in the call, for the log: its check panicked or timed out.
impl<U> Drop for Evaluation<'_, '_, U> {
    fn drop(&mut self) {
        if let Some(leaf) = self.pending_leaf {
            self.call.record_unanswered(self.leaf_text(leaf));
        }
    }
}

impl<U> fmt::Debug for Evaluation<'_, '_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluation").field("expression", &self.expression.to_string()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
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
            let mut evaluation = call.start_evaluation(FRIEND_AND_NOT_BANNED);
            assert_eq!(evaluation.next(), Some(0));
            evaluation.record(Ok(true)).unwrap();
            assert_eq!(evaluation.next(), Some(1));
            evaluation.record(Ok(true)).unwrap();
            assert_eq!(evaluation.next(), None);
            let error = evaluation.finish(Authorized::root()).unwrap_err();
            assert_eq!((error.status().as_u16(), error.leaf()), (403, Some("Banned")));

            let mut evaluation = call.start_evaluation(FRIEND_AND_NOT_BANNED);
            evaluation.next();
            let error = evaluation.record::<bool>(Err(Error::not_found())).unwrap_err();
            assert_eq!((error.status().as_u16(), error.leaf()), (404, Some("Friend")));
            drop(evaluation);
            assert_eq!(call.unanswered(), None);
        });
    }

    #[test]
    fn unfinished_evaluation_denies() {
        with_call(|call| {
            assert_eq!(
                call.start_evaluation(FRIEND_AND_NOT_BANNED).finish(Authorized::root()).unwrap_err().status().as_u16(),
                403
            );
            assert_eq!(
                call.start_evaluation(FRIEND_AND_NOT_BANNED).finish_connect().unwrap_err().status().as_u16(),
                403
            );
            assert_eq!(
                call.start_evaluation(FRIEND_AND_NOT_BANNED).finish_strict_connect().unwrap_err().status().as_u16(),
                403
            );
            let mut evaluation = call.start_evaluation(FRIEND_AND_NOT_BANNED);
            evaluation.next();
            evaluation.record(Ok(true)).unwrap();
            assert_eq!(evaluation.finish_connect().unwrap_err().leaf(), Some("Friend"));
        });
    }

    #[test]
    fn unexpected_answer_is_internal_error() {
        with_call(|call| {
            let mut evaluation = call.start_evaluation(FRIEND_AND_NOT_BANNED);
            assert!(evaluation.record(Ok(true)).unwrap_err().is_fault());
            evaluation.next();
            evaluation.record(Ok(true)).unwrap();
            assert!(evaluation.record(Ok(true)).unwrap_err().is_fault());
        });
    }

    #[test]
    fn dropped_evaluation_records_pending_leaf() {
        with_call(|call| {
            let mut evaluation = call.start_evaluation(FRIEND_AND_NOT_BANNED);
            evaluation.next();
            drop(evaluation);
            assert_eq!(call.unanswered(), Some("Friend"));
            assert_eq!(
                format!("{:?}", call.start_evaluation(FRIEND_AND_NOT_BANNED)),
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
        with_call(|call| {
            let mut evaluation = call.start_evaluation(LEAVES_65);
            assert_eq!(evaluation.next(), Some(63));
            evaluation.record(Ok(false)).unwrap();
            assert_eq!(evaluation.next(), Some(64));
            assert!(evaluation.record(Ok(true)).unwrap_err().is_fault());
            assert!(evaluation.finish(Authorized::root()).is_err());
        });
    }
}
