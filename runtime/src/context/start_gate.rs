//! The start gate of one session: no action body begins on rights that have changed since its permissions were evaluated.
//!
//! A start compares, under the gate's lock, the epoch in which its permissions were evaluated with the current one, marks
//! the action as started, and the body is polled at once. A change of rights first raises the epoch and then passes through
//! the lock, by [`drain`](StartGate::drain). So a start that compared before the change is marked before the change returns,
//! and a start that compares later sees the new epoch. A change waits for starts, never for a body.

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::Epoch;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Mutex, lock};

/// The epoch of a session's rights, and what an action must pass between its last check and its first poll.
///
/// The epoch stands first: it is read for every event that the session may receive.
#[repr(C)]
pub(crate) struct StartGate {
    epoch: AtomicU64,
    /// Whether the session has ended, or is to end.
    is_closed: AtomicBool,
    /// Locked from the comparison to the mark. It protects no data. It is the last lock in the order: under it no other
    /// lock of this crate is taken, only those of the `tracing` subscriber that records the start.
    starting: Mutex<()>,
    /// Whether running actions are to stop early. No lock is taken under it.
    cancellation: Mutex<Cancellation>,
}

/// Whether the actions of a session are cancelled, with the token that they wait for: created when the first one does.
enum Cancellation {
    Pending(Option<CancellationToken>),
    Cancelled,
}

/// Whether an action may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartOutcome {
    /// It is marked as started, and must be polled at once.
    Admitted,
    /// Rights have changed since its permissions were evaluated.
    Stale,
    /// The session has ended.
    Closed,
}

impl StartGate {
    pub(crate) fn new() -> StartGate {
        StartGate {
            epoch: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            starting: Mutex::new(()),
            cancellation: Mutex::new(Cancellation::Pending(None)),
        }
    }

    /// The current epoch. It must be read before the scope and before any check of an evaluation.
    #[inline]
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch(self.epoch.load(Ordering::SeqCst))
    }

    /// Begins a new epoch and returns it. Until [`drain`](StartGate::drain), starts of the old one may still be under way.
    pub(crate) fn raise(&self) -> Epoch {
        Epoch(self.epoch.fetch_add(1, Ordering::SeqCst) + 1)
    }

    /// Admits no further start. As with [`raise`](StartGate::raise), some may still be under way.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Starts what was evaluated in that epoch; what depends on no rights (`None`) starts in any. `mark` runs under the lock
    /// of the gate, and only if the start is admitted.
    pub(crate) fn try_start(&self, evaluation_epoch: Option<Epoch>, mark: impl FnOnce()) -> StartOutcome {
        let _starting = lock(&self.starting);
        if self.is_closed() {
            return StartOutcome::Closed;
        }
        if evaluation_epoch.is_some_and(|epoch| epoch != self.epoch()) {
            return StartOutcome::Stale;
        }
        mark();
        StartOutcome::Admitted
    }

    /// Cancels the actions of the session: [`cancelled`](StartGate::cancelled) completes. Nothing is dropped and nothing is
    /// kept from starting.
    pub(crate) fn cancel(&self) {
        let cancellation = std::mem::replace(&mut *lock(&self.cancellation), Cancellation::Cancelled);
        if let Cancellation::Pending(Some(token)) = cancellation {
            token.cancel();
        }
    }

    /// Returns a future that completes when the actions of the session are cancelled.
    pub(crate) fn cancelled(&self) -> WaitForCancellationFutureOwned {
        let token = match &mut *lock(&self.cancellation) {
            Cancellation::Pending(token) => token.get_or_insert_default().clone(),
            Cancellation::Cancelled => {
                let token = CancellationToken::new();
                token.cancel();
                token
            }
        };
        token.cancelled_owned()
    }

    /// Waits for the starts that were admitted before the gate was raised or closed. Each takes a few instructions, and the
    /// time of the `tracing` subscriber if it records the event `action started`.
    pub(crate) fn drain(&self) {
        drop(lock(&self.starting));
    }
}
