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
    pending: Slots,
    /// Connections that are refused by a close frame.
    refused: Slots,
}

/// A bounded number of slots.
struct Slots {
    max: usize,
    used: Arc<AtomicUsize>,
}

/// A slot, which is free again when it is dropped.
pub(crate) struct Slot(Arc<AtomicUsize>);

impl HandshakeLimiter {
    pub(super) fn new(limits: &Limits) -> HandshakeLimiter {
        HandshakeLimiter {
            by_address: limits.handshakes_per_address.map(AddressLimiter::new),
            by_user: limits.handshakes_per_user.map(KeyedLimiter::new),
            pending: Slots::new(limits.max_pending_handshakes),
            refused: Slots::new(limits.max_pending_handshakes),
        }
    }

    /// Counts a handshake from an address. It is in progress until the returned slot is dropped.
    ///
    /// # Errors
    ///
    /// 503 if too many handshakes are in progress, 429 if the rate is exceeded, and 500 if the address is limited but unknown.
    pub(super) fn begin(&self, peer: Option<PeerAddress>) -> Result<Slot, Rejection> {
        let address = peer.map(|PeerAddress(address)| address);
        let Some(slot) = self.pending.acquire() else {
            if refusal_log::admit_handshake(address) {
                tracing::warn!(?address, max = self.pending.max, "handshake rejected: too many are in progress");
            }
            return Err(Rejection::busy());
        };
        let Some(by_address) = &self.by_address else { return Ok(slot) };
        let Some(address) = address else {
            if refusal_log::admit_handshake(None) {
                tracing::error!(
                    "handshake rejected: handshakes are limited per address, but the client's address is unknown; serve \
                     the router by `into_make_service_with_connect_info::<SocketAddr>()`, or set `Endpoint::behind_proxies`"
                );
            }
            return Err((&Error::internal("the address is unknown")).into());
        };
        by_address.check(address).map_err(|retry_after| {
            if refusal_log::admit_handshake(Some(address)) {
                tracing::info!(%address, "handshake rejected: too many from this address");
            }
            Rejection::from(&Error::too_many_requests(retry_after))
        })?;
        Ok(slot)
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

    /// Returns a slot for a connection that is refused by a close frame, or `None` if there are too many.
    pub(super) fn begin_refusal(&self) -> Option<Slot> {
        self.refused.acquire()
    }
}

impl Slots {
    fn new(max: usize) -> Slots {
        Slots { max, used: Arc::default() }
    }

    fn acquire(&self) -> Option<Slot> {
        let is_free = |used: usize| (used < self.max).then_some(used + 1);
        let acquired = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_free);
        acquired.ok().map(|_| Slot(self.used.clone()))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
