//! Permissions joined by `&`, `|` and `!`, as data, and what the answers so far make of them.

use std::fmt;
use std::ops::ControlFlow;

/// How leaves are joined. A leaf is a number: its place among the expression's distinct leaves.
#[derive(Debug, Clone, Copy)]
pub enum Expr {
    /// A permission.
    Leaf(u8),
    /// `!`
    Not(&'static Expr),
    /// `&`
    All(&'static [Expr]),
    /// `|`
    Any(&'static [Expr]),
}

/// An expression as it was written, with the text of each distinct leaf.
#[derive(Debug, Clone, Copy)]
pub struct Expression {
    /// How the leaves are joined.
    pub tree: Expr,
    /// The distinct leaves, at most 64.
    pub leaves: &'static [&'static str],
    /// Whether a leaf is a codename, so that somebody's grants are asked.
    pub has_codenames: bool,
}

/// What the leaves of one expression have said so far: yes, no, or no opinion.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Answers {
    asked: u64,
    yes: u64,
    no: u64,
}

impl Answers {
    pub(crate) fn record(&mut self, leaf: u8, answer: Option<bool>) {
        let bit = 1_u64.checked_shl(u32::from(leaf)).unwrap_or(0);
        self.asked |= bit;
        match answer {
            Some(true) => self.yes |= bit,
            Some(false) => self.no |= bit,
            None => {}
        }
    }

    /// Leaves that had no opinion may be asked once more.
    pub(crate) fn forget_unsettled(&mut self) {
        self.asked = self.yes | self.no;
    }

    /// What the leaf said, where `doubt` is what no opinion counts as; nothing for a leaf that was not asked.
    fn known(&self, leaf: u8, doubt: bool) -> Option<bool> {
        match self.of(leaf) {
            ControlFlow::Continue(answer) => answer.or(Some(doubt)),
            ControlFlow::Break(_) => None,
        }
    }

    /// What the leaf said; or the leaf, to be asked.
    #[inline]
    fn of(&self, leaf: u8) -> ControlFlow<u8, Option<bool>> {
        let bit = 1_u64.checked_shl(u32::from(leaf)).unwrap_or(0);
        if self.asked & bit == 0 {
            ControlFlow::Break(leaf)
        } else if self.yes & bit != 0 {
            ControlFlow::Continue(Some(true))
        } else {
            ControlFlow::Continue((self.no & bit != 0).then_some(false))
        }
    }
}

impl Expr {
    /// What the answers make of this: the leaf to ask next, left to right, or the outcome.
    /// An outcome of `None` is no opinion, by Kleene's logic.
    pub(crate) fn judge(&self, answers: &Answers) -> ControlFlow<u8, Option<bool>> {
        match *self {
            Expr::Leaf(leaf) => answers.of(leaf),
            Expr::Not(inner) => ControlFlow::Continue(inner.judge(answers)?.map(|yes| !yes)),
            Expr::All(parts) => join(parts, answers, false),
            Expr::Any(parts) => join(parts, answers, true),
        }
    }
}

impl Expr {
    /// The outcome, if no leaf that was not asked yet can change it. Where a leaf had no opinion, it is taken to say
    /// what speaks against admission: what holds even so holds whatever that leaf would say.
    pub(crate) fn settled(&self, answers: &Answers) -> Option<bool> {
        self.settled_with(answers, false)
    }

    fn settled_with(&self, answers: &Answers, doubt: bool) -> Option<bool> {
        let (parts, decisive) = match *self {
            Expr::Leaf(leaf) => return answers.known(leaf, doubt),
            Expr::Not(inner) => return inner.settled_with(answers, !doubt).map(|yes| !yes),
            Expr::All(parts) => (parts, false),
            Expr::Any(parts) => (parts, true),
        };
        let mut outcome = Some(!decisive);
        for part in parts {
            match part.settled_with(answers, doubt) {
                Some(answer) if answer == decisive => return Some(decisive),
                Some(_) => {}
                None => outcome = None,
            }
        }
        outcome
    }

    /// The first leaf, left to right, that can still change the outcome.
    pub(crate) fn open(&self, answers: &Answers) -> Option<u8> {
        self.open_with(answers, false)
    }

    fn open_with(&self, answers: &Answers, doubt: bool) -> Option<u8> {
        if self.settled_with(answers, doubt).is_some() {
            return None;
        }
        match *self {
            Expr::Leaf(leaf) => Some(leaf),
            Expr::Not(inner) => inner.open_with(answers, !doubt),
            Expr::All(parts) | Expr::Any(parts) => parts.iter().find_map(|part| part.open_with(answers, doubt)),
        }
    }
}

/// The first part that says `decisive` settles it; else no opinion wins over the other answer.
fn join(parts: &[Expr], answers: &Answers, decisive: bool) -> ControlFlow<u8, Option<bool>> {
    let mut outcome = Some(!decisive);
    for part in parts {
        // Most parts are leaves, and need no call.
        let answer = match part {
            Expr::Leaf(leaf) => answers.of(*leaf)?,
            part => part.judge(answers)?,
        };
        match answer {
            Some(answer) if answer == decisive => return ControlFlow::Continue(Some(decisive)),
            Some(_) => {}
            None => outcome = None,
        }
    }
    ControlFlow::Continue(outcome)
}

impl Expression {
    fn write(&self, tree: &Expr, inside: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, operator) = match tree {
            Expr::Leaf(leaf) => return f.write_str(self.leaves.get(usize::from(*leaf)).unwrap_or(&"?")),
            Expr::Not(inner) => {
                f.write_str("!")?;
                return self.write(inner, true, f);
            }
            Expr::All(parts) => (parts, " & "),
            Expr::Any(parts) => (parts, " | "),
        };
        if inside {
            f.write_str("(")?;
        }
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                f.write_str(operator)?;
            }
            self.write(part, true, f)?;
        }
        if inside { f.write_str(")") } else { Ok(()) }
    }

    /// The same, in parentheses where it would not read right beside an `&`.
    pub(crate) fn as_part(&self) -> String {
        match self.tree {
            Expr::Any(_) => format!("({self})"),
            Expr::Leaf(_) | Expr::Not(_) | Expr::All(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(&self.tree, false, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Expr = Expr::Leaf(0);
    const B: Expr = Expr::Leaf(1);
    const C: Expr = Expr::Leaf(2);
    const LEAVES: &[&str] = &["A", "B", "C"];

    #[test]
    fn is_printed_as_it_was_written() {
        for (tree, alone, as_part) in [
            (A, "A", "A"),
            (Expr::Not(&C), "!C", "!C"),
            (Expr::All(&[A, B, C]), "A & B & C", "A & B & C"),
            (Expr::Any(&[A, B]), "A | B", "(A | B)"),
            (Expr::Any(&[Expr::All(&[A, B]), C]), "(A & B) | C", "((A & B) | C)"),
            (Expr::All(&[A, Expr::Any(&[B, C])]), "A & (B | C)", "A & (B | C)"),
            (Expr::Not(&Expr::Any(&[A, Expr::Not(&B)])), "!(A | !B)", "!(A | !B)"),
            (Expr::Leaf(3), "?", "?"),
        ] {
            let expression = Expression { tree, leaves: LEAVES, has_codenames: false };
            assert_eq!((expression.to_string().as_str(), expression.as_part().as_str()), (alone, as_part));
        }
    }

    #[test]
    fn each_of_64_leaves_is_remembered() {
        let all: Vec<Expr> = (0..64).map(Expr::Leaf).collect();
        let all: &'static [Expr] = all.leak();
        for (tree, usual, settling) in [(Expr::All(all), true, false), (Expr::Any(all), false, true)] {
            let mut answers = Answers::default();
            for leaf in 0..64 {
                assert_eq!(tree.judge(&answers), ControlFlow::Break(leaf));
                let mut settled = answers;
                settled.record(leaf, Some(settling));
                assert_eq!(tree.judge(&settled), ControlFlow::Continue(Some(settling)));
                answers.record(leaf, Some(usual));
            }
            assert_eq!(tree.judge(&answers), ControlFlow::Continue(Some(usual)));
        }
    }

    #[test]
    fn only_a_leaf_that_matters_is_open() {
        const EDITOR_OR_AUTHOR: Expr = Expr::Any(&[Expr::All(&[A, B]), C]);
        let mut answers = Answers::default();
        assert_eq!((EDITOR_OR_AUTHOR.settled(&answers), EDITOR_OR_AUTHOR.open(&answers)), (None, Some(0)));
        // `A` makes no difference any more, so it is passed by.
        answers.record(1, Some(false));
        assert_eq!((EDITOR_OR_AUTHOR.settled(&answers), EDITOR_OR_AUTHOR.open(&answers)), (None, Some(2)));
        answers.record(2, Some(true));
        assert_eq!((EDITOR_OR_AUTHOR.settled(&answers), EDITOR_OR_AUTHOR.open(&answers)), (Some(true), None));
    }

    #[test]
    fn what_is_not_known_speaks_against_admission_on_both_sides_of_a_not() {
        let mut answers = Answers::default();
        answers.record(0, None);
        for (tree, wanted) in [
            (A, Some(false)),
            (Expr::Not(&A), Some(false)),
            (Expr::Not(&Expr::Not(&A)), Some(false)),
            (Expr::Not(&Expr::All(&[A, B])), None),
            (Expr::All(&[A, B]), Some(false)),
            (Expr::Any(&[A, Expr::Not(&A)]), Some(false)),
            (Expr::Any(&[A, B]), None),
        ] {
            assert_eq!(tree.settled(&answers), wanted, "{tree:?}");
        }
        answers.forget_unsettled();
        assert_eq!(A.settled(&answers), None);
    }

    #[test]
    fn no_opinion_follows_kleene() {
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
            assert_eq!(Expr::All(&[A, B]).judge(&answers), ControlFlow::Continue(both), "{one:?} & {other:?}");
            assert_eq!(Expr::Any(&[A, B]).judge(&answers), ControlFlow::Continue(either), "{one:?} | {other:?}");
            assert_eq!(Expr::Not(&A).judge(&answers), ControlFlow::Continue(one.map(|yes| !yes)), "!{one:?}");
        }
    }
}
