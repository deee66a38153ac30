//! Whether the message of a call is counted by the rate of its action.

use std::sync::atomic::{AtomicU8, Ordering};

use super::{CallSession, Scope, User};
use crate::error::{Error, Result};
use crate::rate::Rate;

/// What the rate of an action has decided about a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum RateOutcome {
    /// Not counted yet.
    #[default]
    Unchecked,
    /// Counted once, and admitted.
    Counted,
    /// Refused with 429.
    Exceeded,
}

/// The outcome of a call's message so far, as the number of a [`RateOutcome`].
#[derive(Debug, Default)]
pub(crate) struct RateState(AtomicU8);

impl RateState {
    pub(super) fn new(outcome: RateOutcome) -> RateState {
        RateState(AtomicU8::new(outcome as u8))
    }

    pub(crate) fn outcome(&self) -> RateOutcome {
        let outcome = self.0.load(Ordering::Relaxed);
        [RateOutcome::Counted, RateOutcome::Exceeded]
            .into_iter()
            .find(|known| *known as u8 == outcome)
            .unwrap_or(RateOutcome::Unchecked)
    }

    fn set(&self, outcome: RateOutcome) {
        self.0.store(outcome as u8, Ordering::Relaxed);
    }

    /// Counts the message by the rate of its action, unless it is counted. A call without a session only evaluates the
    /// permissions again; it passes as far as it did before.
    ///
    /// # Errors
    ///
    /// 429 if the client exceeds the rate. [`Error::authorized_only`] if it did before: what follows was not evaluated then. A
    /// fault if there are no limiters, so that nothing would be counted.
    pub(super) fn check<U: User>(
        &self,
        rate: &'static Rate,
        scope: &Scope<U>,
        session: Option<&(dyn CallSession + 'static)>,
        is_authorization_only: bool,
    ) -> Result<()> {
        match session.map(CallSession::action_rates) {
            Some(Some(rates)) => self.count_once(|| rates.check(rate, scope)),
            None if is_authorization_only && self.outcome() == RateOutcome::Exceeded => Err(Error::authorized_only()),
            None if is_authorization_only => Ok(()),
            Some(None) | None => Err(Error::internal("bug: an action with a rate was called without limiters")),
        }
    }

    /// Counts a message that is not counted yet. One that was refused is counted again, because its evaluation was overtaken.
    fn count_once(&self, count: impl FnOnce() -> Result<()>) -> Result<()> {
        if self.outcome() == RateOutcome::Counted {
            return Ok(());
        }
        let counted = count();
        self.set(match &counted {
            Ok(()) => RateOutcome::Counted,
            // A fault is not a decision of the rate.
            Err(error) if error.is_fault() => RateOutcome::Unchecked,
            Err(_) => RateOutcome::Exceeded,
        });
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::ActionRates;

    static RATE: Rate = Rate::per_hour(1);

    /// A session that has no limiters.
    struct WithoutLimiters;

    impl CallSession for WithoutLimiters {
        fn consumer_name(&self) -> &'static str {
            "Chat"
        }

        fn action_rates(&self) -> Option<&ActionRates> {
            None
        }
    }

    #[test]
    fn call_without_limiters_fails_unless_it_only_evaluates_permissions_again() {
        let scope = Scope::<()>::new(None, http::Request::new(()).into_parts().0);
        let check = |outcome, session, only| RateState::new(outcome).check(&RATE, &scope, session, only);
        for outcome in [RateOutcome::Unchecked, RateOutcome::Counted] {
            assert!(check(outcome, None, true).is_ok());
            assert!(check(outcome, None, false).unwrap_err().is_fault());
            for only in [true, false] {
                let error = check(outcome, Some(&WithoutLimiters), only).unwrap_err();
                assert!(error.is_fault() && !error.is_authorized_only());
            }
        }
        assert!(check(RateOutcome::Exceeded, None, true).unwrap_err().is_authorized_only());
        let error = check(RateOutcome::Exceeded, None, false).unwrap_err();
        assert!(error.is_fault() && !error.is_authorized_only());
    }

    /// Otherwise a reauthorization of its reply would stop at the rate, in front of what has been evaluated since.
    #[test]
    fn message_that_was_refused_and_is_evaluated_again_counts_as_counted() {
        let state = RateState::new(RateOutcome::Exceeded);
        assert!(state.count_once(|| Err(Error::too_many_requests(std::time::Duration::ZERO))).is_err());
        assert_eq!(state.outcome(), RateOutcome::Exceeded);
        assert!(state.count_once(|| Ok(())).is_ok());
        assert_eq!(state.outcome(), RateOutcome::Counted);
        assert!(state.count_once(|| panic!("counted twice")).is_ok());
        let faulty = RateState::new(RateOutcome::Exceeded);
        assert!(faulty.count_once(|| Err(Error::internal("no limiter"))).is_err());
        assert_eq!(faulty.outcome(), RateOutcome::Unchecked);
    }
}
