//! The limits of handshakes: per address, per user, and of those in progress.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::rejection::Rejection;
use crate::connection::Limits;
use crate::context::{PeerAddress, User};
use crate::dispatch::refusal_log;
use crate::error::{Error, Result};
use crate::panic::log_entry;
use crate::rate::{AddressLimiter, IdLimiter};

/// The limits of the handshakes of one endpoint.
pub(super) struct HandshakeLimiter {
    by_address: Option<AddressLimiter>,
    by_user: Option<IdLimiter>,
    max_pending: usize,
    pending: Arc<Semaphore>,
    /// Bounds the connections that are refused by a close frame.
    refused: Arc<Semaphore>,
}

impl HandshakeLimiter {
    pub(super) fn new(limits: &Limits) -> HandshakeLimiter {
        let max_pending = limits.max_pending_handshakes.min(Semaphore::MAX_PERMITS);
        HandshakeLimiter {
            by_address: limits.handshakes_per_address.map(AddressLimiter::new),
            by_user: limits.handshakes_per_user.map(IdLimiter::new),
            max_pending,
            pending: Arc::new(Semaphore::new(max_pending)),
            refused: Arc::new(Semaphore::new(max_pending)),
        }
    }

    /// Counts a handshake from an address. It is in progress until the returned permit is dropped.
    ///
    /// # Errors
    ///
    /// 503 if too many handshakes are in progress, 429 if the rate is exceeded, and 500 if the address is limited but unknown.
    pub(super) fn begin(&self, peer: Option<PeerAddress>) -> Result<OwnedSemaphorePermit, Rejection> {
        let address = peer.map(|PeerAddress(address)| address);
        let Ok(permit) = self.pending.clone().try_acquire_owned() else {
            if refusal_log::admit_handshake(address) {
                log_entry!(WARN, ?address, max = self.max_pending, "handshake rejected: too many are in progress");
            }
            return Err(Rejection::busy());
        };
        let Some(by_address) = &self.by_address else { return Ok(permit) };
        let Some(address) = address else {
            if refusal_log::admit_handshake(None) {
                log_entry!(
                    ERROR,
                    "handshake rejected: handshakes are limited per address, but the client's address is unknown; serve \
                     the router by `into_make_service_with_connect_info::<SocketAddr>()`, or set `Endpoint::behind_proxies`"
                );
            }
            return Err((&Error::internal("the address is unknown")).into());
        };
        by_address.check(address).map_err(|retry_after| {
            if refusal_log::admit_handshake(Some(address)) {
                log_entry!(INFO, %address, "handshake rejected: too many from this address");
            }
            Rejection::from(&Error::too_many_requests(retry_after))
        })?;
        Ok(permit)
    }

    /// Counts a handshake of a user.
    ///
    /// # Errors
    ///
    /// 429 if the rate is exceeded.
    pub(super) fn check_user(&self, user: &impl User) -> Result<()> {
        let Some(by_user) = &self.by_user else { return Ok(()) };
        by_user.check(&user.id()).map_err(Error::too_many_requests)
    }

    /// Returns a permit for a connection that is refused by a close frame, or `None` if there are too many.
    pub(super) fn begin_refusal(&self) -> Option<OwnedSemaphorePermit> {
        self.refused.clone().try_acquire_owned().ok()
    }
}
