//! Evaluation of an expression that is a conjunction of leaves, such as `IsAuthenticated & RoomMember({room})`.

use std::fmt;

use super::Expression;
use super::evaluation::CallEvaluation;
use crate::context::Call;
use crate::error::Result;

/// The evaluation of a conjunction of leaves for a message. Generated code evaluates each leaf that
/// [`begin`](Conjunction::begin) asks for, in order. The outcome is that of [`evaluate`](super::evaluate), without a tree to
/// traverse per leaf.
pub struct Conjunction<'c, 'a, U>(CallEvaluation<'c, 'a, U>);

impl<'c, 'a, U> Conjunction<'c, 'a, U> {
    /// Starts the evaluation. The leaves in the bit set `kept_leaves` are evaluated once per message.
    #[inline]
    pub fn start(call: &'c Call<'a, U>, expression: &'static Expression, kept_leaves: u64) -> Conjunction<'c, 'a, U> {
        Conjunction(CallEvaluation::new(call, expression, kept_leaves))
    }

    /// Returns whether the leaf must be evaluated: it has no answer yet, and no leaf before it is false. Then
    /// [`record`](Conjunction::record) must follow.
    #[inline]
    pub fn begin(&mut self, leaf: u8) -> bool {
        let is_due = self.0.state.answers.is_next_of_all(leaf);
        if is_due {
            self.0.state.pending_leaf = Some(leaf);
        }
        is_due
    }

    /// Records the answer of the leaf.
    ///
    /// # Errors
    ///
    /// An error of the leaf ends the evaluation, unless it is that of a capture.
    #[inline]
    pub fn record<A: Into<Option<bool>>>(&mut self, answer: Result<A>) -> Result<()> {
        self.0.state.record(answer)
    }

    /// Returns `proof` if all leaves are true. No opinion denies.
    ///
    /// # Errors
    ///
    /// Fails as [`evaluate`](super::evaluate) does.
    #[inline]
    pub fn finish<P>(&mut self, proof: P) -> Result<P> {
        let state = &mut self.0.state;
        if state.answers.are_all_true(state.expression.leaves.len()) {
            state.outcome = Some(Some(true));
        } else {
            // Decides, and so returns no leaf to evaluate: a leaf is false, or all have an answer.
            state.next();
        }
        self.0.finish(proof)
    }
}

impl<U> fmt::Debug for Conjunction<'_, '_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Conjunction").field(&self.0.state).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Answers, Expr};
    use super::*;
    use crate::context::Scope;
    use crate::error::Error;
    use crate::message::Envelope;

    const ALL: &Expression = &Expression {
        tree: Expr::All(&[Expr::Leaf(0), Expr::Leaf(1), Expr::Leaf(2)]),
        leaves: &["Friend", "Member", "Owner"],
        has_codenames: false,
    };

    #[derive(Debug, Clone, Copy)]
    enum Leaf {
        Opinion(Option<bool>),
        MalformedCapture,
        NotFound,
    }

    impl Leaf {
        fn answer(self) -> Result<Option<bool>> {
            match self {
                Leaf::Opinion(opinion) => Ok(opinion),
                Leaf::MalformedCapture => Err(Error::not_found().into_message_error()),
                Leaf::NotFound => Err(Error::not_found()),
            }
        }
    }

    /// The status and the leaf of a refusal, or `None` if the expression holds; and the leaves that were evaluated.
    type Outcome = (Option<(u16, Option<&'static str>)>, Vec<u8>);

    fn outcome(result: Result<()>, evaluated: Vec<u8>) -> Outcome {
        (result.err().map(|error| (error.status().as_u16(), error.leaf())), evaluated)
    }

    fn evaluate_conjunction(call: &Call<'_, ()>, kept: Answers, leaves: [Leaf; 3]) -> Outcome {
        let mut evaluated = Vec::new();
        let mut evaluate = || {
            let mut evaluation = Conjunction::start(call, ALL, 0);
            evaluation.0.state.answers = kept;
            for (leaf, answer) in (0..).zip(leaves) {
                if evaluation.begin(leaf) {
                    evaluated.push(leaf);
                    evaluation.record(answer.answer())?;
                }
            }
            evaluation.finish(())
        };
        outcome(evaluate(), evaluated)
    }

    fn evaluate_tree(call: &Call<'_, ()>, kept: Answers, leaves: [Leaf; 3]) -> Outcome {
        let mut evaluated = Vec::new();
        let mut evaluate = || {
            let mut evaluation = CallEvaluation::new(call, ALL, 0);
            evaluation.state.answers = kept;
            while let Some(leaf) = evaluation.state.next() {
                evaluated.push(leaf);
                evaluation.state.record(leaves[usize::from(leaf)].answer())?;
            }
            evaluation.finish(())
        };
        outcome(evaluate(), evaluated)
    }

    fn with_call(test: impl FnOnce(&Call<'_, ()>)) {
        let (parts, ()) = http::Request::new(()).into_parts();
        let (scope, head) = (Scope::new(None, parts), Envelope::default());
        test(&Call::new(&scope, &head, &[], &[], &[]));
    }

    #[test]
    fn conjunction_has_the_outcome_of_its_tree() {
        let kinds = [
            Leaf::Opinion(Some(true)),
            Leaf::Opinion(Some(false)),
            Leaf::Opinion(None),
            Leaf::MalformedCapture,
            Leaf::NotFound,
        ];
        with_call(|call| {
            for case in 0..kinds.len().pow(3) {
                let leaves = [0, 1, 2].map(|leaf| kinds[case / kinds.len().pow(leaf) % kinds.len()]);
                for (true_leaves, false_leaves) in (0..8).flat_map(|first| (0..8).map(move |second| (first, second))) {
                    let kept = Answers { true_leaves, false_leaves };
                    let outcomes = (evaluate_conjunction(call, kept, leaves), evaluate_tree(call, kept, leaves));
                    assert_eq!(outcomes.0, outcomes.1, "{leaves:?} {kept:?}");
                }
            }
        });
    }

    #[test]
    fn conjunction_with_an_unevaluated_leaf_is_denied() {
        with_call(|call| {
            let mut evaluation = Conjunction::start(call, ALL, 0);
            for leaf in [0, 1] {
                assert!(evaluation.begin(leaf));
                evaluation.record(Ok(true)).unwrap();
            }
            assert_eq!(evaluation.finish(()).unwrap_err().status().as_u16(), 403);
            drop(evaluation);
            let mut evaluation = Conjunction::start(call, ALL, 0);
            assert!(evaluation.begin(0));
            drop(evaluation);
            assert_eq!(call.unanswered(), Some("Friend"));
        });
    }
}
