//! The second phase of evaluation: the leaves that depend on objects, after all other leaves.

use std::fmt;

use super::Expression;
use super::evaluation::{CallEvaluation, Evaluation, run};
use crate::context::{Authorized, Call};
use crate::error::Result;

/// An evaluation whose undecided leaves depend on objects.
///
/// Only leaves that can still change the value of the expression are evaluated, so only the objects of those leaves are
/// loaded. A leaf whose object is missing is undecided, and counts against the expression.
pub struct ObjectEvaluation<'c, 'a, U>(CallEvaluation<'c, 'a, U>);

/// Evaluates an expression before objects are loaded. A leaf that depends on an object has no answer yet, unless it is in
/// the bit set `kept_leaves` and the message was evaluated before.
///
/// # Errors
///
/// Fails with 403 if the expression is false for every value of the object leaves; otherwise as
/// [`evaluate`](super::evaluate).
#[inline]
pub fn evaluate_before_loading<'c, 'a, U, F, A>(
    call: &'c Call<'a, U>,
    expression: &'static Expression,
    kept_leaves: u64,
    evaluate_leaf: F,
) -> impl Future<Output = Result<ObjectEvaluation<'c, 'a, U>>>
where
    F: Fn(u8) -> A,
    A: Future<Output = Result<Option<bool>>>,
{
    run(CallEvaluation::new(call, expression, kept_leaves), Evaluation::next, evaluate_leaf, ObjectEvaluation::start)
}

/// Evaluates the leaves that depend on objects. The answer of a leaf is `None` if its object is missing. Returns `proof` if
/// the expression holds.
///
/// # Errors
///
/// Fails as [`evaluate`](super::evaluate) does.
#[inline]
pub fn evaluate_objects<U, F, A>(
    evaluation: ObjectEvaluation<'_, '_, U>,
    proof: Authorized,
    evaluate_leaf: F,
) -> impl Future<Output = Result<Authorized>>
where
    F: Fn(u8) -> A,
    A: Future<Output = Result<Option<bool>>>,
{
    run(evaluation.0, Evaluation::next_object_leaf, evaluate_leaf, move |mut evaluation| evaluation.finish(proof))
}

impl<'c, 'a, U> ObjectEvaluation<'c, 'a, U> {
    /// Starts the object phase. Fails with 403 if the expression is false for every value of the object leaves.
    fn start(mut evaluation: CallEvaluation<'c, 'a, U>) -> Result<ObjectEvaluation<'c, 'a, U>> {
        let state = &mut evaluation.state;
        if state.malformed_leaf.is_some() {
            return Err(state.refusal());
        }
        match state.outcome {
            Some(Some(true)) => {}
            Some(None) => {
                state.answers.clear_undecided();
                state.outcome = None;
            }
            Some(Some(false)) | None => return Err(state.refusal()),
        }
        Ok(ObjectEvaluation(evaluation))
    }
}

impl Evaluation {
    /// Returns the object leaf to evaluate next, or `None` if the expression is decided.
    fn next_object_leaf(&mut self) -> Option<u8> {
        if self.outcome.is_some() {
            return None;
        }
        self.pending_leaf = self.expression.tree.next_leaf(&self.answers);
        if self.pending_leaf.is_none() {
            self.outcome = Some(self.expression.tree.decision(&self.answers));
        }
        self.pending_leaf
    }
}

impl<U> fmt::Debug for ObjectEvaluation<'_, '_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ObjectEvaluation").field(&self.0.state).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::HashMap;
    use std::future::ready;

    use proptest::prelude::*;

    use super::*;
    use crate::context::Scope;
    use crate::message::Envelope;
    use crate::permission::Expr;

    /// The result of a leaf; an object leaf has none if its object is missing.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Leaf {
        Plain(bool),
        Object(Option<bool>),
    }

    /// An expression in which each leaf occurs once, so that trying all values shows whether it is decided.
    #[derive(Debug, Clone)]
    struct Case {
        tree: Expr,
        leaves: Vec<Leaf>,
    }

    #[derive(Debug, Clone)]
    enum Shape {
        Leaf(Leaf),
        Not(Box<Shape>),
        All(Vec<Shape>),
        Any(Vec<Shape>),
    }

    impl Shape {
        fn number_leaves(&self, leaves: &mut Vec<Leaf>) -> Expr {
            let mut each = |parts: &[Shape]| -> &'static [Expr] {
                parts.iter().map(|part| part.number_leaves(leaves)).collect::<Vec<_>>().leak()
            };
            match self {
                Shape::Leaf(leaf) => {
                    leaves.push(*leaf);
                    Expr::Leaf(u8::try_from(leaves.len() - 1).unwrap())
                }
                Shape::Not(inner) => Expr::Not(&each(&[(**inner).clone()])[0]),
                Shape::All(parts) => Expr::All(each(parts)),
                Shape::Any(parts) => Expr::Any(each(parts)),
            }
        }
    }

    fn arbitrary_case() -> impl Strategy<Value = Case> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Leaf::Plain),
            proptest::option::of(any::<bool>()).prop_map(Leaf::Object),
        ];
        let shape = leaf.prop_map(Shape::Leaf).prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|part| Shape::Not(Box::new(part))),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Shape::All),
                proptest::collection::vec(inner, 1..4).prop_map(Shape::Any),
            ]
        });
        let cases = shape.prop_map(|shape| {
            let mut leaves = Vec::new();
            Case { tree: shape.number_leaves(&mut leaves), leaves }
        });
        cases.prop_filter("too many leaves to try all values", |case| case.leaves.len() <= 10)
    }

    fn holds(tree: &Expr, row: usize) -> bool {
        match tree {
            Expr::Leaf(leaf) => row & (1 << leaf) != 0,
            Expr::Not(inner) => !holds(inner, row),
            Expr::All(parts) => parts.iter().all(|part| holds(part, row)),
            Expr::Any(parts) => parts.iter().any(|part| holds(part, row)),
        }
    }

    impl Case {
        /// Returns whether the expression holds for all values of the unknown leaves.
        fn holds_for_all(&self, known: &HashMap<usize, bool>) -> bool {
            let agrees = |row: &usize| known.iter().all(|(leaf, yes)| (row & (1 << leaf) != 0) == *yes);
            (0..1_usize << self.leaves.len()).filter(agrees).all(|row| holds(&self.tree, row))
        }

        /// Returns whether the expression holds for some values of the unknown leaves.
        fn holds_for_some(&self, known: &HashMap<usize, bool>) -> bool {
            let agrees = |row: &usize| known.iter().all(|(leaf, yes)| (row & (1 << leaf) != 0) == *yes);
            (0..1_usize << self.leaves.len()).filter(agrees).any(|row| holds(&self.tree, row))
        }

        /// Returns whether some values of the unevaluated leaves make the expression hold, whatever the missing ones are.
        fn can_still_hold(&self, known: &HashMap<usize, bool>, missing: &[usize]) -> bool {
            let open_leaves: Vec<usize> =
                (0..self.leaves.len()).filter(|leaf| !known.contains_key(leaf) && !missing.contains(leaf)).collect();
            (0..1_usize << open_leaves.len()).any(|row| {
                let mut known = known.clone();
                known.extend(open_leaves.iter().enumerate().map(|(bit, leaf)| (*leaf, row & (1 << bit) != 0)));
                self.holds_for_all(&known)
            })
        }
    }

    /// Evaluates as generated code does. Returns the evaluated object leaves, whether the object phase was reached, and
    /// whether the expression holds.
    fn evaluate(case: &Case) -> (Vec<usize>, bool, bool) {
        let (parts, ()) = http::Request::new(()).into_parts();
        let (scope, head) = (Scope::<()>::new(None, parts), Envelope::default());
        let call = Call::new(&scope, &head, &[], &[], &[]);
        let expression: &'static Expression =
            Box::leak(Box::new(Expression { tree: case.tree, leaves: &["Leaf"; 10], has_codenames: false }));
        let evaluation = evaluate_before_loading(&call, expression, 0, |leaf| {
            ready(Ok(match case.leaves[usize::from(leaf)] {
                Leaf::Plain(yes) => Some(yes),
                Leaf::Object(_) => None,
            }))
        });
        let Ok(object_evaluation) = pollster::block_on(evaluation) else { return (Vec::new(), false, false) };
        let order = RefCell::new(Vec::new());
        let evaluated = evaluate_objects(object_evaluation, Authorized::root(), |leaf| {
            let Leaf::Object(answer) = case.leaves[usize::from(leaf)] else {
                panic!("a plain leaf was evaluated in the object phase")
            };
            order.borrow_mut().push(usize::from(leaf));
            ready(Ok(answer))
        });
        let is_granted = pollster::block_on(evaluated).is_ok();
        (order.into_inner(), true, is_granted)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn object_leaves_are_evaluated_only_while_they_matter(case in arbitrary_case()) {
            let mut known: HashMap<usize, bool> = HashMap::new();
            for (leaf, answer) in case.leaves.iter().enumerate() {
                if let Leaf::Plain(yes) = answer {
                    known.insert(leaf, *yes);
                }
            }
            let (order, is_object_phase_reached, is_granted) = evaluate(&case);
            prop_assert!(order.is_sorted(), "leaves are evaluated from left to right");
            prop_assert_eq!(is_object_phase_reached, case.holds_for_some(&known), "the object phase is reached only if an object can change the value");
            let mut missing = Vec::new();
            for leaf in &order {
                prop_assert!(!case.holds_for_all(&known), "the expression held already");
                prop_assert!(case.can_still_hold(&known, &missing), "the expression could no longer hold");
                match case.leaves[*leaf] {
                    Leaf::Object(Some(yes)) => prop_assert_eq!(known.insert(*leaf, yes), None, "the leaf was evaluated twice"),
                    _ => missing.push(*leaf),
                }
            }
            let into_object_evaluation = case.leaves.iter().enumerate().filter_map(|(leaf, answer)| match answer {
                Leaf::Object(Some(yes)) => Some((leaf, *yes)),
                _ => None,
            });
            let mut all = known.clone();
            all.extend(into_object_evaluation);
            prop_assert_eq!(is_granted, case.holds_for_all(&all), "the existing objects decide, whatever is missing");
        }
    }
}
