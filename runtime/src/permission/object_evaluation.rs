//! An expression whose leaves ask about objects: what is left of it once every leaf that needs none has been asked.

use std::fmt;

use super::Evaluation;
use crate::context::Authorized;
use crate::error::{Error, Result};

/// The second half of asking an expression: its open leaves want to see objects.
///
/// Only a leaf that can still change the outcome is asked, and so only an object that matters to it is loaded. A leaf
/// whose object is missing has no answer, and what depends on it does not hold.
pub struct ObjectEvaluation<'c, 'a, U>(Evaluation<'c, 'a, U>);

impl<'c, 'a, U> Evaluation<'c, 'a, U> {
    /// Goes on to the objects, unless the expression refuses whatever they are.
    pub fn into_object_evaluation(mut self) -> Result<ObjectEvaluation<'c, 'a, U>> {
        match self.outcome {
            Some(Some(true)) => Ok(ObjectEvaluation(self)),
            Some(None) => {
                self.answers.forget_unsettled();
                self.outcome = None;
                Ok(ObjectEvaluation(self))
            }
            Some(Some(false)) | None => Err(self.blamed(Error::denied())),
        }
    }
}

impl<U> ObjectEvaluation<'_, '_, U> {
    /// The leaf to ask now; `None` once the expression is settled.
    #[expect(clippy::should_implement_trait, reason = "an iterator could be collected, leaving answers out")]
    pub fn next(&mut self) -> Option<u8> {
        let gate = &mut self.0;
        if gate.outcome.is_some() {
            return None;
        }
        gate.asking = gate.expression.tree.open(&gate.answers);
        if gate.asking.is_none() {
            gate.outcome = Some(gate.expression.tree.settled(&gate.answers));
        }
        gate.asking
    }

    /// What the leaf said; `None` where its object is missing. An error ends the walk, whatever stands around the leaf.
    pub fn record(&mut self, answer: Result<Option<bool>>) -> Result<()> {
        self.0.record(answer)
    }

    /// Admits whom the expression admits.
    pub fn finish(self, admitted: Authorized) -> Result<Authorized> {
        self.0.finish(admitted)
    }
}

impl<U> fmt::Debug for ObjectEvaluation<'_, '_, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Asking").field(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::context::{Call, Scope};
    use crate::message::Envelope;
    use crate::permission::{Expr, Expression};

    /// What a leaf would say: a plain one yes or no; one about an object also nothing, as the object is missing.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Leaf {
        Plain(bool),
        Object(Option<bool>),
    }

    /// An expression in which each leaf stands once, so that what is settled can be found by trying all answers.
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
        fn numbered(&self, leaves: &mut Vec<Leaf>) -> Expr {
            let mut each = |parts: &[Shape]| -> &'static [Expr] {
                parts.iter().map(|part| part.numbered(leaves)).collect::<Vec<_>>().leak()
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

    fn case() -> impl Strategy<Value = Case> {
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
        let numbered = shape.prop_map(|shape| {
            let mut leaves = Vec::new();
            Case { tree: shape.numbered(&mut leaves), leaves }
        });
        numbered.prop_filter("too many answers to try", |case| case.leaves.len() <= 10)
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
        /// Whether the expression holds, whatever the leaves say that are not known.
        fn surely(&self, known: &HashMap<usize, bool>) -> bool {
            let agrees = |row: &usize| known.iter().all(|(leaf, yes)| (row & (1 << leaf) != 0) == *yes);
            (0..1_usize << self.leaves.len()).filter(agrees).all(|row| holds(&self.tree, row))
        }

        /// The same the other way: whether it can hold at all.
        fn possibly(&self, known: &HashMap<usize, bool>) -> bool {
            let agrees = |row: &usize| known.iter().all(|(leaf, yes)| (row & (1 << leaf) != 0) == *yes);
            (0..1_usize << self.leaves.len()).filter(agrees).any(|row| holds(&self.tree, row))
        }

        /// Whether it holds for some answers of those that may still be asked, and all answers of those that never come.
        fn still_possible(&self, known: &HashMap<usize, bool>, missing: &[usize]) -> bool {
            let open: Vec<usize> =
                (0..self.leaves.len()).filter(|leaf| !known.contains_key(leaf) && !missing.contains(leaf)).collect();
            (0..1_usize << open.len()).any(|row| {
                let mut known = known.clone();
                known.extend(open.iter().enumerate().map(|(bit, leaf)| (*leaf, row & (1 << bit) != 0)));
                self.surely(&known)
            })
        }
    }

    /// Asks as generated code does; gives the objects' leaves that were asked, and whether the caller was admitted.
    fn asked(case: &Case) -> (Vec<usize>, bool, bool) {
        let (parts, ()) = http::Request::new(()).into_parts();
        let (scope, head) = (Scope::<()>::new(None, parts), Envelope::default());
        let call = Call::new(&scope, &head, &[], &[], &[]);
        let expression: &'static Expression =
            Box::leak(Box::new(Expression { tree: case.tree, leaves: &["Leaf"; 10], has_codenames: false }));
        let mut gate = call.start_evaluation(expression);
        while let Some(leaf) = gate.next() {
            let answer = match case.leaves[usize::from(leaf)] {
                Leaf::Plain(yes) => Some(yes),
                Leaf::Object(_) => None,
            };
            gate.record(Ok(answer)).unwrap();
        }
        let Ok(mut asking) = gate.into_object_evaluation() else { return (Vec::new(), false, false) };
        let mut order = Vec::new();
        while let Some(leaf) = asking.next() {
            let Leaf::Object(answer) = case.leaves[usize::from(leaf)] else { panic!("a plain leaf was asked late") };
            order.push(usize::from(leaf));
            asking.record(Ok(answer)).unwrap();
        }
        (order, true, asking.finish(Authorized::at_the_door()).is_ok())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn objects_are_asked_about_only_while_they_matter(case in case()) {
            let mut known: HashMap<usize, bool> = HashMap::new();
            for (leaf, answer) in case.leaves.iter().enumerate() {
                if let Leaf::Plain(yes) = answer {
                    known.insert(leaf, *yes);
                }
            }
            let (order, begun, admitted) = asked(&case);
            prop_assert!(order.is_sorted(), "left to right");
            prop_assert_eq!(begun, case.possibly(&known), "objects are looked at only if one can help");
            let mut missing = Vec::new();
            for leaf in &order {
                prop_assert!(!case.surely(&known), "it held already");
                prop_assert!(case.still_possible(&known, &missing), "it could not hold any more");
                match case.leaves[*leaf] {
                    Leaf::Object(Some(yes)) => prop_assert_eq!(known.insert(*leaf, yes), None, "asked twice"),
                    _ => missing.push(*leaf),
                }
            }
            let objects = case.leaves.iter().enumerate().filter_map(|(leaf, answer)| match answer {
                Leaf::Object(Some(yes)) => Some((leaf, *yes)),
                _ => None,
            });
            let mut all = known.clone();
            all.extend(objects);
            prop_assert_eq!(admitted, case.surely(&all), "what is there decides, whatever is missing");
        }
    }
}
