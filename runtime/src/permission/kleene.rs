//! The three-valued logic of permission expressions (Kleene's): the value of an expression for the leaves evaluated so far,
//! where a leaf may have no opinion.

use std::ops::ControlFlow;

use super::Expr;

/// The results of the leaves of one expression so far, as bit sets. A leaf without an opinion is in both, a leaf that was
/// not evaluated is in neither.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Answers {
    pub(super) true_leaves: u64,
    pub(super) false_leaves: u64,
}

impl Answers {
    #[inline]
    pub(super) fn record(&mut self, leaf: u8, answer: Option<bool>) {
        let bit = leaf_bit(leaf);
        if answer != Some(false) {
            self.true_leaves |= bit;
        }
        if answer != Some(true) {
            self.false_leaves |= bit;
        }
    }

    /// Returns whether a conjunction of leaves in the order of their indices is undecided at this leaf: it was not evaluated,
    /// and no leaf before it is false.
    #[inline]
    pub(super) fn is_next_of_all(&self, leaf: u8) -> bool {
        let bit = leaf_bit(leaf);
        let is_evaluated = (self.true_leaves | self.false_leaves) & bit != 0;
        let is_decided = self.false_leaves & !self.true_leaves & bit.wrapping_sub(1) != 0;
        !is_evaluated && !is_decided
    }

    /// Returns whether the first `count` leaves are true, and no leaf is without an opinion.
    #[inline]
    pub(super) fn are_all_true(&self, count: usize) -> bool {
        self.false_leaves == 0 && self.true_leaves.trailing_ones() as usize == count
    }

    /// Makes leaves without an opinion unevaluated again.
    pub(super) fn clear_undecided(&mut self) {
        let undecided = self.true_leaves & self.false_leaves;
        self.true_leaves &= !undecided;
        self.false_leaves &= !undecided;
    }

    /// Returns the value of a leaf, with `fallback` for no opinion, or `None` if the leaf was not evaluated.
    fn decision_or(&self, leaf: u8, fallback: bool) -> Option<bool> {
        match self.get(leaf) {
            ControlFlow::Continue(answer) => answer.or(Some(fallback)),
            ControlFlow::Break(_) => None,
        }
    }

    /// Returns the value of a leaf, or breaks with the leaf if it was not evaluated.
    #[inline]
    fn get(&self, leaf: u8) -> ControlFlow<u8, Option<bool>> {
        let bit = leaf_bit(leaf);
        match (self.true_leaves & bit != 0, self.false_leaves & bit != 0) {
            (false, false) => ControlFlow::Break(leaf),
            (true, true) => ControlFlow::Continue(None),
            (answer, _) => ControlFlow::Continue(Some(answer)),
        }
    }
}

/// Returns the bit of a leaf, or 0 if a bit set has no place for it.
#[inline]
fn leaf_bit(leaf: u8) -> u64 {
    1_u64.checked_shl(u32::from(leaf)).unwrap_or(0)
}

impl Expr {
    /// Returns the value of the expression in Kleene's logic, where `None` is no opinion, or breaks with the leaf to
    /// evaluate next. Leaves are evaluated from left to right.
    pub(super) fn evaluate(&self, answers: &Answers) -> ControlFlow<u8, Option<bool>> {
        match *self {
            Expr::Leaf(leaf) => answers.get(leaf),
            Expr::Not(inner) => ControlFlow::Continue(inner.evaluate(answers)?.map(|value| !value)),
            Expr::All(parts) => combine(parts, answers, false),
            Expr::Any(parts) => combine(parts, answers, true),
        }
    }

    /// Returns the value of the expression if no unevaluated leaf can change it.
    ///
    /// A leaf without an opinion counts as the value that makes the expression less likely to hold: `false`, or `true` under
    /// an odd number of negations. An expression that holds then would hold for either value of that leaf.
    pub(super) fn decision(&self, answers: &Answers) -> Option<bool> {
        self.decision_with(answers, false)
    }

    fn decision_with(&self, answers: &Answers, fallback: bool) -> Option<bool> {
        let (parts, decisive) = match *self {
            Expr::Leaf(leaf) => return answers.decision_or(leaf, fallback),
            Expr::Not(inner) => return inner.decision_with(answers, !fallback).map(|value| !value),
            Expr::All(parts) => (parts, false),
            Expr::Any(parts) => (parts, true),
        };
        let mut outcome = Some(!decisive);
        for part in parts {
            match part.decision_with(answers, fallback) {
                Some(answer) if answer == decisive => return Some(decisive),
                Some(_) => {}
                None => outcome = None,
            }
        }
        outcome
    }

    /// Returns the first leaf from left to right that can still change the value of the expression.
    pub(super) fn next_leaf(&self, answers: &Answers) -> Option<u8> {
        self.next_leaf_with(answers, false)
    }

    fn next_leaf_with(&self, answers: &Answers, fallback: bool) -> Option<u8> {
        if self.decision_with(answers, fallback).is_some() {
            return None;
        }
        match *self {
            Expr::Leaf(leaf) => Some(leaf),
            Expr::Not(inner) => inner.next_leaf_with(answers, !fallback),
            Expr::All(parts) | Expr::Any(parts) => parts.iter().find_map(|part| part.next_leaf_with(answers, fallback)),
        }
    }
}

/// Combines operands: the first with the value `decisive` decides; otherwise no opinion prevails over the other value.
fn combine(parts: &[Expr], answers: &Answers, decisive: bool) -> ControlFlow<u8, Option<bool>> {
    let mut outcome = Some(!decisive);
    for part in parts {
        // Most operands are leaves: no recursive call for them.
        let answer = match part {
            Expr::Leaf(leaf) => answers.get(*leaf)?,
            part => part.evaluate(answers)?,
        };
        match answer {
            Some(answer) if answer == decisive => return ControlFlow::Continue(Some(decisive)),
            Some(_) => {}
            None => outcome = None,
        }
    }
    ControlFlow::Continue(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Expr = Expr::Leaf(0);
    const B: Expr = Expr::Leaf(1);
    const C: Expr = Expr::Leaf(2);

    #[test]
    fn evaluate_with_64_leaves_records_each() {
        let all: Vec<Expr> = (0..64).map(Expr::Leaf).collect();
        let all: &'static [Expr] = all.leak();
        for (tree, neutral_answer, decisive_answer) in [(Expr::All(all), true, false), (Expr::Any(all), false, true)] {
            let mut answers = Answers::default();
            for leaf in 0..64 {
                assert_eq!(tree.evaluate(&answers), ControlFlow::Break(leaf));
                let mut decisive = answers;
                decisive.record(leaf, Some(decisive_answer));
                assert_eq!(tree.evaluate(&decisive), ControlFlow::Continue(Some(decisive_answer)));
                answers.record(leaf, Some(neutral_answer));
            }
            assert_eq!(tree.evaluate(&answers), ControlFlow::Continue(Some(neutral_answer)));
        }
    }

    #[test]
    fn next_leaf_skips_leaves_without_influence() {
        const EDITOR_OR_AUTHOR: Expr = Expr::Any(&[Expr::All(&[A, B]), C]);
        let mut answers = Answers::default();
        assert_eq!((EDITOR_OR_AUTHOR.decision(&answers), EDITOR_OR_AUTHOR.next_leaf(&answers)), (None, Some(0)));
        // `A` can no longer change the value.
        answers.record(1, Some(false));
        assert_eq!((EDITOR_OR_AUTHOR.decision(&answers), EDITOR_OR_AUTHOR.next_leaf(&answers)), (None, Some(2)));
        answers.record(2, Some(true));
        assert_eq!((EDITOR_OR_AUTHOR.decision(&answers), EDITOR_OR_AUTHOR.next_leaf(&answers)), (Some(true), None));
    }

    #[test]
    fn undecided_leaf_counts_against_expression_at_any_negation_depth() {
        let mut answers = Answers::default();
        answers.record(0, None);
        for (tree, expected) in [
            (A, Some(false)),
            (Expr::Not(&A), Some(false)),
            (Expr::Not(&Expr::Not(&A)), Some(false)),
            (Expr::Not(&Expr::All(&[A, B])), None),
            (Expr::All(&[A, B]), Some(false)),
            (Expr::Any(&[A, Expr::Not(&A)]), Some(false)),
            (Expr::Any(&[A, B]), None),
        ] {
            assert_eq!(tree.decision(&answers), expected, "{tree:?}");
        }
        answers.clear_undecided();
        assert_eq!(A.decision(&answers), None);
    }

    #[test]
    fn no_opinion_follows_kleene_logic() {
        const YES: Option<bool> = Some(true);
        const NO: Option<bool> = Some(false);
        for (one, other, both, either) in [
            (None, YES, None, YES),
            (YES, None, None, YES),
            (None, NO, NO, None),
            (NO, None, NO, None),
            (None, None, None, None),
        ] {
            let mut answers = Answers::default();
            answers.record(0, one);
            answers.record(1, other);
            assert_eq!(Expr::All(&[A, B]).evaluate(&answers), ControlFlow::Continue(both), "{one:?} & {other:?}");
            assert_eq!(Expr::Any(&[A, B]).evaluate(&answers), ControlFlow::Continue(either), "{one:?} | {other:?}");
            assert_eq!(Expr::Not(&A).evaluate(&answers), ControlFlow::Continue(one.map(|value| !value)), "!{one:?}");
        }
    }
}
