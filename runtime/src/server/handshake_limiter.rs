//! The limits of handshakes: per address, per user, and of those in progress.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::rejection::Rejection;
use crate::connection::Limits;
use crate::context::{PeerAddress, User};
use crate::dispatch::refusal_log;
use crate::error::{Error, Result};
use crate::rate::{AddressLimiter, KeyedLimiter};

/// The limits of the handshakes of one endpoint.
pub(super) struct HandshakeLimiter {
    by_address: Option<AddressLimiter>,
    by_user: Option<KeyedLimiter<String>>,
    max_pending: usize,
    pending: AtomicUsize,
}

/// A handshake in progress.
pub(super) struct PendingHandshake(Arc<HandshakeLimiter>);

impl HandshakeLimiter {
    pub(super) fn new(limits: &Limits) -> HandshakeLimiter {
        HandshakeLimiter {
            by_address: limits.handshakes_per_address.map(AddressLimiter::new),
            by_user: limits.handshakes_per_user.map(KeyedLimiter::new),
            max_pending: limits.max_pending_handshakes,
            pending: AtomicUsize::new(0),
        }
    }

    /// Counts a handshake from an address. It is in progress until the returned value is dropped.
    ///
    /// # Errors
    ///
    /// 429 if the rate is exceeded, 503 if too many handshakes are in progress, and 500 if the address is limited but
    /// unknown.
    pub(super) fn begin(self: &Arc<Self>, address: Option<PeerAddress>) -> Result<PendingHandshake, Rejection> {
        if let Some(by_address) = &self.by_address {
            let Some(PeerAddress(address)) = address else {
                tracing::error!(
                    "handshake rejected: the address of the client is unknown, but limited; serve the router by \
                     `into_make_service_with_connect_info::<SocketAddr>()`, or set `Endpoint::behind_proxies`"
                );
                return Err((&Error::internal("the address is unknown")).into());
            };
            by_address.check(address).map_err(|retry_after| {
                if refusal_log::admit(Some(address), None) {
                    tracing::info!(%address, "handshake rejected: too many from this address");
                }
                Rejection::from(&Error::too_many_requests(retry_after))
            })?;
        }
        let is_admitted = |pending: usize| (pending < self.max_pending).then_some(pending + 1);
        if self.pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_admitted).is_err() {
            let address = address.map(|PeerAddress(address)| address);
            if refusal_log::admit(address, None) {
                tracing::warn!(?address, "handshake rejected: too many are in progress");
            }
            return Err(Rejection::of_busy_server());
        }
        Ok(PendingHandshake(self.clone()))
    }

    /// Counts a handshake of a user.
    ///
    /// # Errors
    ///
    /// 429 if the rate is exceeded.
    pub(super) fn check_user(&self, user: &impl User) -> Result<()> {
        let Some(by_user) = &self.by_user else { return Ok(()) };
        let id = user.id().into_owned();
        let outcome = by_user.check(&id, |hasher| {
            let [.., high, low] = hasher.hash_one(&id).to_be_bytes();
            u32::from(u16::from_be_bytes([high, low]))
        });
        outcome.map_err(Error::too_many_requests)
    }
}

impl Drop for PendingHandshake {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::Relaxed);
    }
}
