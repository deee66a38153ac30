//! The trait of ticket stores.

use std::future::Future;
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::login_id::LoginId;
use super::ticket::TicketKey;
use crate::error::Result;

/// What a ticket stands for: a user and the login session in which it was issued.
///
/// [`Tickets::new`](crate::Tickets::new) gets it when the ticket is redeemed. A [`TicketStore`] keeps it, for example
/// as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TicketClaims {
    /// The [`User::id`](crate::User::id) of the user.
    pub user_id: String,
    /// The login session.
    pub login: LoginId,
    /// When the credentials with which the ticket was issued expire: [`User::expires_at`](crate::User::expires_at). The
    /// connection expires then, whatever the loaded user returns, unless that is earlier.
    pub expires_at: Option<SystemTime>,
}

/// Keeps the tickets that were issued and not used yet, for [`Tickets`](crate::Tickets).
///
/// [`MemoryTicketStore`](crate::MemoryTicketStore) serves one process, and `RedisTicketStore` of the feature `redis`
/// several. A store gets keys that are hashes; it never sees a ticket.
///
/// # Errors
///
/// An error of any status, a panic, and a future that takes longer than 5 seconds are faults: no ticket is issued, the
/// handshake is rejected with 500, and the log has the cause.
///
/// # Cancel safety
///
/// A future may be dropped at any time. A ticket that was taken by then is lost, which is safe.
pub trait TicketStore: Send + Sync + 'static {
    /// Whether the tickets are known to this process only. An endpoint whose [broker](crate::Endpoint::broker) connects it to
    /// other processes refuses such a store, because clients would need to reach the process that has issued their ticket.
    /// Default: `false`.
    const IS_LOCAL: bool = false;

    /// Stores a ticket for [`Ticket::LIFETIME`](crate::Ticket::LIFETIME). If the user then has more than `max_per_user`
    /// tickets, which is at least 1, the oldest are removed.
    fn insert(
        &self,
        key: TicketKey,
        claims: TicketClaims,
        max_per_user: usize,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Removes a ticket and returns its claims. Of several calls with one key at the same time, also from several
    /// processes, at most one returns them. Returns `None` if there is no such ticket, if its lifetime is over, or if
    /// its login session was voided within [`LoginId::VOID_LIFETIME`].
    fn take(&self, key: TicketKey) -> impl Future<Output = Result<Option<TicketClaims>>> + Send;

    /// Voids a login session: from then on [`take`](TicketStore::take) returns none of its tickets, including those
    /// that are inserted within [`LoginId::VOID_LIFETIME`].
    fn void_login(&self, login: LoginId) -> impl Future<Output = Result<()>> + Send;
}

/// A [`TicketStore`] with its type erased.
pub(super) trait ErasedTicketStore: Send + Sync {
    fn is_local(&self) -> bool;
    fn insert(&self, key: TicketKey, claims: TicketClaims, max_per_user: usize) -> BoxFuture<'_, Result<()>>;
    fn take(&self, key: TicketKey) -> BoxFuture<'_, Result<Option<TicketClaims>>>;
    fn void_login(&self, login: LoginId) -> BoxFuture<'_, Result<()>>;
}

impl<S: TicketStore> ErasedTicketStore for S {
    fn is_local(&self) -> bool {
        S::IS_LOCAL
    }

    fn insert(&self, key: TicketKey, claims: TicketClaims, max_per_user: usize) -> BoxFuture<'_, Result<()>> {
        Box::pin(TicketStore::insert(self, key, claims, max_per_user))
    }

    fn take(&self, key: TicketKey) -> BoxFuture<'_, Result<Option<TicketClaims>>> {
        Box::pin(TicketStore::take(self, key))
    }

    fn void_login(&self, login: LoginId) -> BoxFuture<'_, Result<()>> {
        Box::pin(TicketStore::void_login(self, login))
    }
}
