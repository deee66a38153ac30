//! Asks the leaves of one expression, each at most once, and turns the outcome into admission or refusal.

use std::fmt;
use std::ops::ControlFlow;

use super::{Answers, Expression};
use crate::context::{Authorized, Call, ConnectContext};
use crate::error::{Error, Result};

/// Yes, no, or none.
type Decision = Option<bool>;

/// How many distinct leaves an expression may have.
const MOST: u8 = 64;

/// One expression being asked for one message.
///
/// Generated code loops over [`next`](Evaluation::next), asks that leaf, [`record`](Evaluation::record)s the answer and
/// [`finish`](Evaluation::finish)es; which leaf comes next, and what all answers amount to, is decided here.
pub struct Evaluation<'c, 'a, U> {
    call: &'c Call<'a, U>,
    pub(super) expression: &'static Expression,
    pub(super) answers: Answers,
    /// The leaf that is being asked.
    pub(super) asking: Option<u8>,
    /// The leaf whose answer came last: the one that decided.
    last: Option<u8>,
    /// `None` until the expression is settled.
    pub(super) outcome: Option<Decision>,
}

impl<'a, U> Call<'a, U> {
    /// Begins to ask an expression.
    pub fn start_evaluation<'c>(&'c self, expression: &'static Expression) -> Evaluation<'c, 'a, U> {
        Evaluation { call: self, expression, answers: Answers::default(), asking: None, last: None, outcome: None }
    }
}

impl<'a, U> ConnectContext<'a, U> {
    /// Begins to ask an expression.
    pub fn start_evaluation<'c>(&'c self, expression: &'static Expression) -> Evaluation<'c, 'a, U> {
        self.call().start_evaluation(expression)
    }
}

impl<U> Evaluation<'_, '_, U> {
    /// The leaf to ask now; `None` once the expression is settled.
    #[expect(clippy::should_implement_trait, reason = "an iterator could be collected, leaving answers out")]
    pub fn next(&mut self) -> Option<u8> {
        match self.expression.tree.judge(&self.answers) {
            ControlFlow::Break(leaf) => {
                self.asking = Some(leaf);
                self.asking
            }
            ControlFlow::Continue(outcome) => {
                self.outcome = Some(outcome);
                None
            }
        }
    }

    /// What the leaf said. An error ends the walk, whatever stands around the leaf.
    pub fn record<A: Into<Option<bool>>>(&mut self, answer: Result<A>) -> Result<()> {
        self.last = self.asking.take();
        match (answer, self.last) {
            // Asking it again and again would never end.
            (Ok(_), Some(leaf)) if leaf >= MOST => Err(Error::internal("an expression has too many leaves")),
            (Ok(answer), Some(leaf)) => {
                self.answers.record(leaf, answer.into());
                Ok(())
            }
            (Ok(_), None) => Err(Error::internal("an answer came that nobody asked for")),
            (Err(error), _) => Err(self.blamed(error)),
        }
    }

    /// Admits whom the expression admits.
    pub fn finish(&self, admitted: Authorized) -> Result<Authorized> {
        if self.outcome == Some(Some(true)) { Ok(admitted) } else { Err(self.blamed(Error::denied())) }
    }

    /// Lets in whoever is not refused: no opinion opens.
    pub fn finish_connect(&self) -> Result<()> {
        match self.outcome {
            Some(Some(true) | None) => Ok(()),
            Some(Some(false)) | None => Err(self.blamed(Error::denied())),
        }
    }

    /// Lets into a group only whom the expression admits.
    pub fn finish_join(&self) -> Result<()> {
        self.finish_strict_connect()
    }

    /// Lets in only whom the expression admits.
    pub fn finish_strict_connect(&self) -> Result<()> {
        if self.outcome == Some(Some(true)) { Ok(()) } else { Err(self.blamed(Error::denied())) }
    }

    fn text(&self, leaf: u8) -> &'static str {
        self.expression.leaves.get(usize::from(leaf)).copied().unwrap_or("?")
    }

    pub(super) fn blamed(&self, error: Error) -> Error {
        match self.last {
            Some(leaf) => error.refused_by(self.text(leaf)),
            None => error,
        }
    }
}

/// A check that panics or runs out of time never tells its answer: then the call remembers whose it was.
impl<U> Drop for Evaluation<'_, '_, U> {
    fn drop(&mut self) {
        if let Some(leaf) = self.asking {
            self.call.left_unanswered(self.text(leaf));
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

    const BOTH: &Expression = &Expression {
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
    fn the_leaf_that_decided_is_blamed() {
        with_call(|call| {
            let mut gate = call.start_evaluation(BOTH);
            assert_eq!(gate.next(), Some(0));
            gate.record(Ok(true)).unwrap();
            assert_eq!(gate.next(), Some(1));
            gate.record(Ok(true)).unwrap();
            assert_eq!(gate.next(), None);
            let refused = gate.finish(Authorized::at_the_door()).unwrap_err();
            assert_eq!((refused.status().as_u16(), refused.leaf()), (403, Some("Banned")));

            let mut gate = call.start_evaluation(BOTH);
            gate.next();
            let failed = gate.record::<bool>(Err(Error::not_found())).unwrap_err();
            assert_eq!((failed.status().as_u16(), failed.leaf()), (404, Some("Friend")));
            drop(gate);
            assert_eq!(call.unanswered(), None);
        });
    }

    #[test]
    fn a_gate_that_is_not_asked_to_its_end_admits_nobody() {
        with_call(|call| {
            assert_eq!(
                call.start_evaluation(BOTH).finish(Authorized::at_the_door()).unwrap_err().status().as_u16(),
                403
            );
            assert_eq!(call.start_evaluation(BOTH).finish_connect().unwrap_err().status().as_u16(), 403);
            assert_eq!(call.start_evaluation(BOTH).finish_strict_connect().unwrap_err().status().as_u16(), 403);
            let mut gate = call.start_evaluation(BOTH);
            gate.next();
            gate.record(Ok(true)).unwrap();
            assert_eq!(gate.finish_connect().unwrap_err().leaf(), Some("Friend"));
        });
    }

    #[test]
    fn an_answer_that_nobody_asked_for_is_a_fault() {
        with_call(|call| {
            let mut gate = call.start_evaluation(BOTH);
            assert!(gate.record(Ok(true)).unwrap_err().is_fault());
            gate.next();
            gate.record(Ok(true)).unwrap();
            assert!(gate.record(Ok(true)).unwrap_err().is_fault());
        });
    }

    #[test]
    fn a_leaf_that_never_answers_is_remembered() {
        with_call(|call| {
            let mut gate = call.start_evaluation(BOTH);
            gate.next();
            drop(gate);
            assert_eq!(call.unanswered(), Some("Friend"));
            assert_eq!(
                format!("{:?}", call.start_evaluation(BOTH)),
                r#"Evaluation { expression: "Friend & !Banned", .. }"#
            );
        });
    }

    #[test]
    fn only_64_leaves_can_be_told_apart() {
        const TOO_MANY: &Expression = &Expression {
            tree: Expr::Any(&[Expr::Leaf(63), Expr::Leaf(64)]),
            leaves: &["Leaf"; 65],
            has_codenames: false,
        };
        with_call(|call| {
            let mut gate = call.start_evaluation(TOO_MANY);
            assert_eq!(gate.next(), Some(63));
            gate.record(Ok(false)).unwrap();
            assert_eq!(gate.next(), Some(64));
            assert!(gate.record(Ok(true)).unwrap_err().is_fault());
            assert!(gate.finish(Authorized::at_the_door()).is_err());
        });
    }
}
