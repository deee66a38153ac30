//! Issuing, redeeming and voiding tickets: [`Tickets`].

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use http::StatusCode;

use super::login_id::LoginId;
use super::store::{ErasedTicketStore, TicketClaims, TicketStore};
use super::ticket::Ticket;
use crate::context::User;
use crate::error::{Error, Result};
use crate::log::{Cause, fault_id};
use crate::panic::{contain_future, log_entry};
use crate::rate::{IdLimiter, Rate};
use crate::time::deadline;

/// The time limit of a call of the store.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// Loads the user of a ticket.
type LoadUser<U> = dyn Fn(TicketClaims) -> BoxFuture<'static, Result<Option<U>>> + Send + Sync;

/// The tickets of an application: secrets that open one connection each, within seconds.
///
/// A page requests a ticket from the application by an ordinary HTTP request, whose user the application knows, and
/// presents it when it opens its WebSocket. [`Endpoint::tickets`](crate::Endpoint::tickets) redeems them,
/// [`Endpoint::issue_ticket`](crate::Endpoint::issue_ticket) issues them. The [authentication
/// chapter](crate::guide::authentication#tickets) says when to use them, with an example. Clones share the store, and count
/// what they issue together.
pub struct Tickets<U> {
    store: Arc<dyn ErasedTicketStore>,
    load_user: Arc<LoadUser<U>>,
    max_per_user: usize,
    /// Counts the tickets that are issued, per user id.
    issued: Arc<IdLimiter>,
}

/// Creates the limiter of issued tickets.
fn issue_limiter(max_per_minute: u32) -> Arc<IdLimiter> {
    Arc::new(IdLimiter::new(Rate::per_minute(max_per_minute)))
}

impl<U: User> Tickets<U> {
    /// Creates tickets that are kept in a store and stand for the users that a function loads.
    ///
    /// The function is called when a ticket is redeemed, with its [claims](TicketClaims). It returns `None` if the
    /// user no longer exists or may not log in: then the ticket is refused as an invalid one. The id of the user that
    /// it returns must be that of the claims. Its errors reject the handshake like those of
    /// [`Authenticate`](crate::Authenticate#errors).
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use portcullis::{MemoryTicketStore, TicketClaims, Tickets, User};
    ///
    /// struct Member { id: String }
    ///
    /// impl User for Member {
    ///     fn id(&self) -> Cow<'_, str> { self.id.as_str().into() }
    /// }
    ///
    /// let tickets = Tickets::new(MemoryTicketStore::new(), |claims: TicketClaims| async move {
    ///     // A real server would query its database.
    ///     Ok(Some(Member { id: claims.user_id }))
    /// });
    /// ```
    pub fn new<F, R>(store: impl TicketStore, load_user: F) -> Tickets<U>
    where
        F: Fn(TicketClaims) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<U>>> + Send + 'static,
    {
        let load_user = move |claims| -> BoxFuture<'static, _> { Box::pin(load_user(claims)) };
        let issued = issue_limiter(60);
        Tickets { store: Arc::new(store), load_user: Arc::new(load_user), max_per_user: 32, issued }
    }

    /// Sets how many tickets a user may have that are neither used nor expired. If one more is issued, the oldest
    /// becomes invalid. Default: 32.
    ///
    /// # Panics
    ///
    /// Panics if the number is zero.
    #[must_use]
    pub fn max_per_user(mut self, max_per_user: usize) -> Tickets<U> {
        assert!(max_per_user > 0, "a user without tickets cannot connect; write at least `max_per_user(1)`");
        self.max_per_user = max_per_user;
        self
    }

    /// Sets the maximum number of tickets that are issued to a user per minute, which is also the maximum in a row. A further
    /// one fails with 429. A ticket that the store failed to keep counts. Each process counts for itself; clones made before
    /// this call keep counting with their own value. Default: 60.
    ///
    /// # Panics
    ///
    /// Panics if the number is zero.
    #[must_use]
    pub fn max_issued_per_minute(mut self, max_issued: u32) -> Tickets<U> {
        assert!(max_issued > 0, "a user without tickets cannot connect; write at least `max_issued_per_minute(1)`");
        self.issued = issue_limiter(max_issued);
        self
    }

    /// Voids the tickets of a login session, when its user logs out: once this has completed, no process that shares the
    /// store redeems one of them. This includes tickets that are issued for the login session within
    /// [`LoginId::VOID_LIFETIME`]. A handshake that has redeemed one before may still open its connection.
    ///
    /// Connections that are open already stay open: call [`Connections`](crate::Connections) after this. The
    /// [authentication chapter](crate::guide::authentication#logout) has the order of all steps.
    ///
    /// # Errors
    ///
    /// A fault (500) if the store fails, panics or does not answer within 5 seconds. The log has its cause. Tickets
    /// of the login session may still be valid then, for at most [`Ticket::LIFETIME`]. Close the connections of the user
    /// nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the login session may or may not be void.
    pub async fn void_login(&self, login: &LoginId) -> Result<()> {
        call_store(|| self.store.void_login(login.clone())).await.map_err(|error| {
            let id = fault_id();
            log_entry!(ERROR, %id, cause = ?Cause::new(&error), "login session not voided");
            error.with_log_id(id)
        })
    }

    /// Returns whether the tickets are known to this process only.
    pub(crate) fn is_local(&self) -> bool {
        self.store.is_local()
    }

    /// Issues a ticket of a user for an audience.
    ///
    /// # Errors
    ///
    /// 401 `unauthenticated` if the user's credentials have expired. 429 `too_many_requests` if the user's rate is exceeded.
    /// A fault if the store fails.
    pub(crate) async fn issue(&self, audience: &str, user: &U, login: &LoginId) -> Result<Ticket> {
        let expires_at = user.expires_at();
        if expires_at.is_some_and(|at| at <= SystemTime::now()) {
            return Err(Error::unauthenticated());
        }
        let user_id = user.id().into_owned();
        self.issued.check(&user_id).map_err(Error::too_many_requests)?;
        let ticket = Ticket::random()?;
        let claims = TicketClaims { user_id, login: login.clone(), expires_at };
        call_store(|| self.store.insert(ticket.key(audience), claims, self.max_per_user)).await?;
        Ok(ticket)
    }

    /// Redeems a ticket. Returns its user, and when the credentials expire with which it was issued. `None` stands
    /// for a text that is no ticket.
    ///
    /// # Errors
    ///
    /// One and the same error if the ticket is used, expired, void, malformed or unknown. A fault if the store fails.
    pub(crate) async fn redeem(&self, audience: &str, ticket: Option<Ticket>) -> Result<(U, Option<SystemTime>)> {
        let invalid = || Error::new(StatusCode::UNAUTHORIZED, "unauthenticated", "The ticket is not valid.");
        let ticket = ticket.ok_or_else(invalid)?;
        let claims = call_store(|| self.store.take(ticket.key(audience))).await?.ok_or_else(invalid)?;
        let (user_id, expires_at) = (claims.user_id.clone(), claims.expires_at);
        let user = (self.load_user)(claims).await?.ok_or_else(invalid)?;
        if *user.id() != *user_id {
            return Err(Error::internal(
                "the function of `Tickets::new` has returned another user than that of the claims",
            ));
        }
        Ok((user, expires_at))
    }
}

/// Calls the store with a time limit. An error, a panic and a timeout become faults.
async fn call_store<'s, T>(call: impl FnOnce() -> BoxFuture<'s, Result<T>> + Send) -> Result<T> {
    // The call is made by the future, so that a panic before its first `.await` is contained too.
    let outcome = deadline(STORE_TIMEOUT, contain_future(async { call().await })).await;
    let cause = match outcome {
        Some(Ok(Ok(value))) => return Ok(value),
        Some(Ok(Err(error))) => format!("the ticket store has failed: {error}"),
        Some(Err(panic)) => format!("the ticket store panicked: {}", panic.message()),
        None => format!("the ticket store has not answered within {} s", STORE_TIMEOUT.as_secs()),
    };
    Err(Error::internal(cause))
}

impl<U> Clone for Tickets<U> {
    fn clone(&self) -> Self {
        Tickets {
            store: self.store.clone(),
            load_user: self.load_user.clone(),
            max_per_user: self.max_per_user,
            issued: self.issued.clone(),
        }
    }
}

impl<U> fmt::Debug for Tickets<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("max_per_user", &self.max_per_user).finish_non_exhaustive()
    }
}
