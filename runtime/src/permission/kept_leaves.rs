//! Leaves that are evaluated once per message: their first answers are kept in the call, and seed every later evaluation of
//! the same message.

use super::kleene::Answers;
use crate::context::{Call, KeptLeaves};
use crate::error::Result;

/// Returns the leaves to keep as a bit set. `reevaluate` has the `REEVALUATE` of each leaf.
#[inline]
#[must_use]
pub const fn kept_leaves(reevaluate: &[bool]) -> u64 {
    let (mut leaves, mut leaf) = (0, 0);
    while leaf < reevaluate.len() && leaf < 64 {
        if !reevaluate[leaf] {
            leaves |= 1 << leaf;
        }
        leaf += 1;
    }
    leaves
}

/// Returns the kept answer of the leaf of an expression that is a single leaf, or `None` if it must be evaluated.
#[inline]
pub fn kept_answer<U>(call: &Call<'_, U>, reevaluate: bool) -> Option<bool> {
    if reevaluate { None } else { pass_kept_answer(call) }
}

/// Keeps the answer of the leaf of an expression that is a single leaf, unless it is evaluated again.
///
/// # Errors
///
/// Returns `answer` unchanged.
#[inline]
pub fn keep_answer<U>(call: &Call<'_, U>, reevaluate: bool, answer: Result<bool>) -> Result<bool> {
    if !reevaluate && let Ok(is_true) = answer {
        keep(call, u64::MAX, &Answers::of_leaf(0, is_true));
    }
    answer
}

#[cold]
fn pass_kept_answer<U>(call: &Call<'_, U>) -> Option<bool> {
    let answers = kept_answers(call);
    let answer = answers.answer_of(0)?;
    keep(call, u64::MAX, &answers);
    Some(answer)
}

/// Returns the kept answers of the expression that is being evaluated.
#[cold]
pub(super) fn kept_answers<U>(call: &Call<'_, U>) -> Answers {
    call.read_side_effects(|effects| effects.kept_answers.current()).unwrap_or_default().into()
}

/// Keeps the answers of the leaves in the bit set `kept_leaves`, and passes on to the next expression.
#[cold]
pub(super) fn keep<U>(call: &Call<'_, U>, kept_leaves: u64, answers: &Answers) {
    call.with_side_effects(|effects| effects.kept_answers.keep(answers.kept(kept_leaves)));
}

impl From<KeptLeaves> for Answers {
    fn from(kept: KeptLeaves) -> Answers {
        Answers { true_leaves: kept.true_leaves, false_leaves: kept.false_leaves }
    }
}

impl Answers {
    /// Returns the answers of an expression of which one leaf was evaluated.
    fn of_leaf(leaf: u8, is_true: bool) -> Answers {
        let mut answers = Answers::default();
        answers.record(leaf, Some(is_true));
        answers
    }

    /// Returns the answer of a leaf, or `None` if it has none.
    fn answer_of(&self, leaf: u8) -> Option<bool> {
        let bit = 1_u64.checked_shl(u32::from(leaf))?;
        (self.true_leaves & bit != 0).then_some(true).or((self.false_leaves & bit != 0).then_some(false))
    }

    /// Returns those answers of the leaves in a bit set that are an opinion.
    fn kept(&self, leaves: u64) -> KeptLeaves {
        let decided = leaves & !(self.true_leaves & self.false_leaves);
        KeptLeaves { true_leaves: self.true_leaves & decided, false_leaves: self.false_leaves & decided }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_leaves_has_a_bit_per_leaf_that_is_not_evaluated_again() {
        assert_eq!(kept_leaves(&[]), 0);
        assert_eq!(kept_leaves(&[true, false, true, false]), 0b1010);
        assert_eq!(kept_leaves(&[false; 70]), u64::MAX);
    }

    #[test]
    fn leaf_without_an_opinion_is_not_kept() {
        let mut answers = Answers::default();
        answers.record(0, Some(true));
        answers.record(1, None);
        answers.record(2, Some(false));
        answers.record(3, Some(true));
        let kept = Answers::from(answers.kept(0b0111));
        assert_eq!([0, 1, 2, 3].map(|leaf| kept.answer_of(leaf)), [Some(true), None, Some(false), None]);
    }
}
