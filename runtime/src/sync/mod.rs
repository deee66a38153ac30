//! What threads share. Under `--cfg loom` the same from loom, which tries every order in which threads may get at it: that is
//! for the models alone, see `session/loom_tests`.

use std::sync::PoisonError;

#[cfg(not(loom))]
mod std_primitives {
    pub(crate) use std::sync::{Mutex, MutexGuard, atomic};

    pub(crate) use arc_swap::ArcSwapOption;
    pub(crate) use futures_util::task::AtomicWaker;
    pub(crate) use tokio::runtime::Handle;
    pub(crate) use tokio::sync::oneshot;
}

#[cfg(loom)]
mod loom;

#[cfg(loom)]
pub(crate) use loom::*;
#[cfg(not(loom))]
pub(crate) use std_primitives::*;

/// Locks a mutex and ignores poisoning: a panic under a lock of this crate leaves no data half updated.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
