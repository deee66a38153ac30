//! Synchronization primitives, locking without lock poisoning, and waiting for a cancellation.
//!
//! With `--cfg loom` the primitives are those of loom, which runs a model under every possible interleaving of its threads.
//! Only the models in `session/loom_tests` are built that way.

use std::sync::{LockResult, PoisonError};

use tokio_util::sync::CancellationToken;

#[cfg(not(loom))]
mod std_primitives {
    pub(crate) use std::sync::{Mutex, MutexGuard, atomic};

    pub(crate) use arc_swap::ArcSwapOption;
    pub(crate) use futures_util::task::AtomicWaker;
    pub(crate) use tokio::runtime::{Handle, Id as RuntimeId};
    pub(crate) use tokio::sync::oneshot;
}

#[cfg(loom)]
mod loom;
mod turns;
#[cfg(test)]
mod wake_count;

#[cfg(loom)]
pub(crate) use loom::*;
#[cfg(not(loom))]
pub(crate) use std_primitives::*;

pub(crate) use turns::Turns;
#[cfg(test)]
pub(crate) use wake_count::WakeCount;

/// Locks a mutex, see [`ignore_poison`].
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    ignore_poison(mutex.lock())
}

/// Returns the guard or the value of a mutex, poisoned or not: a panic under a lock of this crate leaves no data half
/// updated.
pub(crate) fn ignore_poison<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

/// Completes when a token is cancelled. Never completes without one.
pub(crate) async fn cancelled(token: Option<&CancellationToken>) {
    match token {
        Some(token) => token.cancelled().await,
        None => std::future::pending().await,
    }
}
