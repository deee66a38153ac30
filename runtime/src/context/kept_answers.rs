//! The answers of leaves that are evaluated once per message, see [`Permission::REEVALUATE`](crate::Permission::REEVALUATE).

use super::rate_state::RateOutcome;

/// The kept answers of one expression, as bit sets of its leaves. A leaf in neither set has no kept answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeptLeaves {
    pub(crate) true_leaves: u64,
    pub(crate) false_leaves: u64,
}

/// The kept answers of one message: one entry per expression on its route that has leaves to keep, in the order in which a
/// traversal evaluates them. That order is the same in each traversal of the message.
#[derive(Debug, Default)]
pub(crate) struct KeptAnswers {
    expressions: Vec<KeptLeaves>,
    /// The number of entries that the current traversal has passed.
    passed: usize,
    /// Whether the connection was anonymous when they were evaluated. It may belong to a user by now.
    pub(crate) is_anonymous: bool,
    /// What the rate of the action has decided about the message.
    pub(crate) rate: RateOutcome,
}

impl KeptAnswers {
    pub(crate) fn is_empty(&self) -> bool {
        self.expressions.is_empty() && self.rate == RateOutcome::Unchecked
    }

    /// Returns the kept answers of the expression that is being evaluated.
    pub(crate) fn current(&self) -> KeptLeaves {
        self.expressions.get(self.passed).copied().unwrap_or_default()
    }

    /// Keeps the answers of the expression that has been evaluated, and passes on to the next one.
    pub(crate) fn keep(&mut self, leaves: KeptLeaves) {
        match self.expressions.get_mut(self.passed) {
            Some(entry) => *entry = leaves,
            None => self.expressions.push(leaves),
        }
        self.passed += 1;
    }

    /// Returns what remains for a connection that belongs to another user since: the message is still counted once.
    pub(crate) fn without_leaves(self) -> KeptAnswers {
        KeptAnswers { rate: self.rate, ..KeptAnswers::default() }
    }

    /// Returns the answers for another traversal of the same message.
    pub(crate) fn rewind(self) -> KeptAnswers {
        KeptAnswers { passed: 0, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewound_answers_are_returned_per_expression_in_order() {
        let leaves = |true_leaves| KeptLeaves { true_leaves, false_leaves: 0 };
        let mut answers = KeptAnswers::default();
        assert!(answers.is_empty());
        answers.keep(leaves(1));
        answers.keep(leaves(2));
        assert_eq!(answers.current(), KeptLeaves::default(), "the third expression was not evaluated");
        let mut again = answers.rewind();
        assert_eq!(again.current(), leaves(1));
        again.keep(leaves(5));
        assert_eq!(again.current(), leaves(2));
        assert_eq!(again.rewind().current(), leaves(5));
    }
}
