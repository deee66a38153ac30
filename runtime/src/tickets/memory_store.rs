//! The ticket store of a single process.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Mutex;

use tokio::time::Instant;

use super::age_map::AgeMap;
use super::login_id::LoginId;
use super::store::{TicketClaims, TicketStore};
use super::ticket::{Ticket, TicketKey};
use crate::error::{Error, Result};
use crate::sync::ignore_poison;

/// Keeps tickets in memory, for an application that consists of one process.
///
/// A ticket that another process has issued is unknown to it. Behind a balancer with several processes, use a store
/// that they share, such as `RedisTicketStore` of the feature `redis`.
///
/// Its size is bounded, 100,000 tickets by default, and expired tickets are removed. If it is full of tickets that
/// have not expired, no further ticket is issued. The number of voided login sessions that it remembers has the same
/// bound. If more are voided, the oldest are forgotten; if one of them was voided less than [`Ticket::LIFETIME`] ago,
/// all tickets are removed, so that none of its tickets becomes valid again.
pub struct MemoryTicketStore {
    /// Protects all tickets and voided login sessions. No other lock is taken while it is held.
    state: Mutex<State>,
    max_tickets: usize,
}

#[derive(Default)]
struct State {
    tickets: AgeMap<TicketKey, TicketClaims>,
    /// The tickets of each user, oldest first.
    by_user: HashMap<String, VecDeque<TicketKey>>,
    voided: AgeMap<LoginId, ()>,
}

impl MemoryTicketStore {
    /// Creates a store for 100,000 tickets.
    pub fn new() -> MemoryTicketStore {
        MemoryTicketStore::bounded(100_000)
    }

    /// Creates a store for this number of tickets.
    pub fn bounded(max_tickets: usize) -> MemoryTicketStore {
        MemoryTicketStore { state: Mutex::default(), max_tickets }
    }

    /// Removes what has expired, and changes the rest.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = ignore_poison(self.state.lock());
        state.remove_expired(Instant::now());
        change(&mut state)
    }
}

impl State {
    fn remove_expired(&mut self, now: Instant) {
        while self.tickets.oldest().is_some_and(|issued_at| now >= issued_at + Ticket::LIFETIME) {
            if let Some((key, claims)) = self.tickets.pop_oldest() {
                self.forget_of_user(&key, &claims);
            }
        }
        while self.voided.oldest().is_some_and(|voided_at| now >= voided_at + LoginId::VOID_LIFETIME) {
            self.voided.pop_oldest();
        }
    }

    fn take(&mut self, key: &TicketKey) -> Option<TicketClaims> {
        let claims = self.tickets.remove(key)?;
        self.forget_of_user(key, &claims);
        Some(claims)
    }

    fn forget_of_user(&mut self, key: &TicketKey, claims: &TicketClaims) {
        if let Some(keys) = self.by_user.get_mut(&claims.user_id) {
            keys.retain(|other| other != key);
            if keys.is_empty() {
                self.by_user.remove(&claims.user_id);
            }
        }
    }
}

impl TicketStore for MemoryTicketStore {
    const IS_LOCAL: bool = true;

    async fn insert(&self, key: TicketKey, claims: TicketClaims, max_per_user: usize) -> Result<()> {
        self.change(|state| {
            // A ticket of a voided login session is never valid, also after the store has forgotten that it is void.
            if state.voided.contains(&claims.login) {
                return Ok(());
            }
            while let Some(keys) = state.by_user.get(&claims.user_id)
                && keys.len() >= max_per_user
                && let Some(oldest) = keys.front().cloned()
            {
                state.take(&oldest);
            }
            if state.tickets.len() >= self.max_tickets {
                return Err(Error::internal(format!("the store is full, it has {} tickets", self.max_tickets)));
            }
            state.by_user.entry(claims.user_id.clone()).or_default().push_back(key.clone());
            state.tickets.insert(key, claims);
            Ok(())
        })
    }

    async fn take(&self, key: TicketKey) -> Result<Option<TicketClaims>> {
        Ok(self.change(|state| state.take(&key).filter(|claims| !state.voided.contains(&claims.login))))
    }

    async fn void_login(&self, login: LoginId) -> Result<()> {
        self.change(|state| {
            state.voided.insert(login, ());
            while state.voided.len() > self.max_tickets {
                if state.voided.oldest().is_some_and(|voided_at| voided_at.elapsed() < Ticket::LIFETIME) {
                    state.tickets = AgeMap::default();
                    state.by_user = HashMap::new();
                }
                state.voided.pop_oldest();
            }
        });
        Ok(())
    }
}

impl Default for MemoryTicketStore {
    fn default() -> MemoryTicketStore {
        MemoryTicketStore::new()
    }
}

impl fmt::Debug for MemoryTicketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryTicketStore").field("max_tickets", &self.max_tickets).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;

    /// Runs a call of the store, which never waits.
    fn now<T>(call: impl Future<Output = T>) -> T {
        call.now_or_never().unwrap()
    }

    fn issue(store: &MemoryTicketStore, user: &str, login: &str) -> Result<TicketKey> {
        let claims = TicketClaims { user_id: user.to_owned(), login: LoginId::new(login), expires_at: None };
        let key = Ticket::random().unwrap().key("Chat");
        now(store.insert(key.clone(), claims, 3)).map(|()| key)
    }

    fn take(store: &MemoryTicketStore, key: &TicketKey) -> Option<String> {
        now(store.take(key.clone())).unwrap().map(|claims| claims.user_id)
    }

    /// Returns the number of tickets, of users with tickets, and of voided login sessions.
    fn sizes(store: &MemoryTicketStore) -> (usize, usize, usize) {
        let state = store.state.lock().unwrap();
        assert_eq!(state.by_user.values().map(VecDeque::len).sum::<usize>(), state.tickets.len());
        (state.tickets.len(), state.by_user.len(), state.voided.len())
    }

    #[tokio::test(start_paused = true)]
    async fn ticket_is_taken_once_and_within_its_lifetime() {
        let store = MemoryTicketStore::new();
        let (first, second, third) =
            (issue(&store, "7", "a").unwrap(), issue(&store, "7", "a").unwrap(), issue(&store, "8", "b").unwrap());
        assert_eq!((take(&store, &first), take(&store, &first)), (Some("7".to_owned()), None));
        advance(Ticket::LIFETIME.checked_sub(Duration::from_millis(1)).unwrap()).await;
        assert_eq!(take(&store, &second).as_deref(), Some("7"));
        advance(Duration::from_millis(1)).await;
        assert_eq!((take(&store, &third), sizes(&store)), (None, (0, 0, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn oldest_ticket_of_a_user_over_the_cap_is_removed() {
        let store = MemoryTicketStore::new();
        let other = issue(&store, "8", "b").unwrap();
        let keys: Vec<_> = (0..5).map(|_| issue(&store, "7", "a").unwrap()).collect();
        assert_eq!(sizes(&store), (4, 2, 0));
        assert_eq!(
            keys.iter().map(|key| take(&store, key).is_some()).collect::<Vec<_>>(),
            [false, false, true, true, true]
        );
        assert!(take(&store, &other).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn full_store_issues_nothing_until_tickets_expire() {
        let store = MemoryTicketStore::bounded(2);
        let kept = issue(&store, "1", "a").unwrap();
        issue(&store, "2", "a").unwrap();
        assert!(issue(&store, "3", "a").unwrap_err().is_fault());
        assert!(take(&store, &kept).is_some());
        issue(&store, "3", "a").unwrap();
        advance(Ticket::LIFETIME).await;
        issue(&store, "4", "a").unwrap();
        assert_eq!(sizes(&store), (1, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn tickets_of_a_voided_login_are_refused_also_those_issued_later() {
        let store = MemoryTicketStore::new();
        let (before, other) = (issue(&store, "7", "a").unwrap(), issue(&store, "7", "b").unwrap());
        now(store.void_login(LoginId::new("a"))).unwrap();
        let later = issue(&store, "7", "a").unwrap();
        assert_eq!((take(&store, &before), take(&store, &later)), (None, None));
        assert!(take(&store, &other).is_some());
        advance(LoginId::VOID_LIFETIME).await;
        assert!(take(&store, &other).is_none());
        assert_eq!(sizes(&store), (0, 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn ticket_issued_for_a_voided_login_stays_void_when_the_login_is_forgotten() {
        let store = MemoryTicketStore::bounded(2);
        let void = |login| now(store.void_login(LoginId::new(login))).unwrap();
        void("a");
        advance(Ticket::LIFETIME.checked_sub(Duration::from_secs(1)).unwrap()).await;
        let key = issue(&store, "7", "a").unwrap();
        advance(Duration::from_secs(2)).await;
        void("b");
        void("c");
        assert_eq!((take(&store, &key), sizes(&store)), (None, (0, 0, 2)));
    }

    #[tokio::test(start_paused = true)]
    async fn login_that_is_forgotten_early_takes_all_tickets_with_it() {
        let store = MemoryTicketStore::bounded(2);
        let void = |login| now(store.void_login(LoginId::new(login))).unwrap();
        let key = issue(&store, "7", "a").unwrap();
        void("a");
        void("b");
        void("b");
        assert_eq!(sizes(&store), (1, 1, 2));
        void("c");
        assert_eq!((take(&store, &key), sizes(&store)), (None, (0, 0, 2)));
        advance(Ticket::LIFETIME).await;
        let key = issue(&store, "7", "d").unwrap();
        void("e");
        assert_eq!(take(&store, &key).as_deref(), Some("7"));
    }
}
