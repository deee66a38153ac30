//! The rates of actions: how often one user may call an action, over all connections of an endpoint.

use std::ptr;
use std::time::Duration;

use super::{ConnectionId, PeerAddress, Scope, User};
use crate::error::{Error, Result};
use crate::rate::{AddressLimiter, IdLimiter, KeyedLimiter, Rate};

/// The limiters of the actions of one endpoint that have a rate, sorted by the address of the rate's static.
#[derive(Default)]
pub(crate) struct ActionRates(Box<[ActionLimiter]>);

/// Counts the calls of one action, per client.
struct ActionLimiter {
    rate: &'static Rate,
    by_user: IdLimiter,
    by_address: AddressLimiter,
    by_connection: KeyedLimiter<ConnectionId>,
}

/// The client that a call is counted for.
#[derive(Debug, Clone, Copy)]
enum Caller<'a> {
    User(&'a str),
    Address(PeerAddress),
    Connection(ConnectionId),
}

impl ActionRates {
    /// Creates a limiter per rate. A rate that occurs twice has one.
    pub(crate) fn new(mut rates: Vec<&'static Rate>) -> ActionRates {
        rates.sort_by_key(|rate| ptr::from_ref(*rate));
        rates.dedup_by(|a, b| ptr::eq(*a, *b));
        ActionRates(rates.into_iter().map(ActionLimiter::new).collect())
    }

    /// Counts a call by the client of a scope.
    ///
    /// # Errors
    ///
    /// 429 if the client exceeds the rate.
    pub(crate) fn check<U: User>(&self, rate: &'static Rate, scope: &Scope<U>) -> Result<()> {
        self.find(rate)?.check_scope(scope).map_err(Error::too_many_requests)
    }

    fn find(&self, rate: &'static Rate) -> Result<&ActionLimiter> {
        let found = self.0.binary_search_by_key(&ptr::from_ref(rate), |limiter| ptr::from_ref(limiter.rate));
        let found = found.ok().and_then(|index| self.0.get(index));
        found.ok_or_else(|| Error::internal("bug: the rate of an action is unknown to its endpoint"))
    }
}

impl ActionLimiter {
    fn new(rate: &'static Rate) -> ActionLimiter {
        ActionLimiter {
            rate,
            by_user: IdLimiter::new(*rate),
            by_address: AddressLimiter::new(*rate),
            by_connection: KeyedLimiter::new(*rate),
        }
    }

    /// Counts a call.
    ///
    /// # Errors
    ///
    /// The time after which it would be admitted, if the rate is exceeded.
    fn check(&self, caller: Caller<'_>) -> Result<(), Duration> {
        match caller {
            Caller::User(id) => self.by_user.check(id),
            Caller::Address(PeerAddress(address)) => self.by_address.check(address),
            Caller::Connection(id) => self.by_connection.check(&id),
        }
    }

    fn check_scope<U: User>(&self, scope: &Scope<U>) -> Result<(), Duration> {
        if scope.user().is_some() {
            return self.check(Caller::User(&scope.user_id()));
        }
        let address = scope.extension::<PeerAddress>().copied();
        self.check(address.map_or(Caller::Connection(scope.connection_id()), Caller::Address))
    }
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;

    use super::*;

    static RARELY: Rate = Rate::per_hour(1).burst(2);
    static OFTEN: Rate = Rate::per_hour(1).burst(3);
    /// Equal to another one, of another action.
    static OTHER: Rate = Rate::per_hour(1).burst(3);

    fn count_admitted(limiter: &ActionLimiter, callers: &[Caller<'_>]) -> usize {
        callers.iter().filter(|caller| limiter.check(**caller).is_ok()).count()
    }

    #[test]
    fn rates_have_one_limiter_each() {
        let rates = ActionRates::new(vec![&RARELY, &OFTEN, &OTHER, &OFTEN]);
        assert_eq!(rates.0.len(), 3);
        for (rate, burst) in [(&OFTEN, 3), (&RARELY, 2), (&OTHER, 3)] {
            assert_eq!(count_admitted(rates.find(rate).unwrap(), &[Caller::User("7"); 10]), burst);
        }
        assert!(ActionRates::default().find(&OFTEN).is_err_and(|error| error.is_fault()));
    }

    #[test]
    fn callers_of_different_kinds_are_counted_separately() {
        let limiter = ActionLimiter::new(&RARELY);
        let id = ConnectionId::random().unwrap();
        let address = PeerAddress([192, 0, 2, 1].into());
        for caller in [Caller::User("7"), Caller::User("8"), Caller::Address(address), Caller::Connection(id)] {
            assert_eq!(count_admitted(&limiter, &[caller; 10]), 2, "{caller:?}");
        }
    }

    #[test]
    fn memory_is_bounded_however_many_users_call_an_action() {
        let limiter = ActionLimiter::new(&RARELY);
        let call_all = |range: std::ops::Range<u32>| {
            measure(|| {
                for user in range.clone() {
                    let _ = limiter.check(Caller::User(&format!("user-{user}")));
                }
            })
        };
        let first = call_all(0..100_000);
        assert!(first.bytes_current < 16 * 1024 * 1024, "{first:?}");
        // Further users are counted by 16 bits of their hash: at most 65,536 more keys.
        let rest = call_all(100_000..300_000);
        assert!(rest.bytes_current < 8 * 1024 * 1024, "{rest:?}");
        let last = call_all(300_000..1_000_000);
        assert!(last.bytes_current < 64 * 1024, "{last:?}");
    }
}
