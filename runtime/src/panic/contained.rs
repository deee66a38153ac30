//! Values and futures of the application whose `Drop` may panic.

use std::any::type_name;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::catch_unwind::{Panic, catch_unwind, poll_caught};
use super::log_entry::log_entry;
use crate::log::Cause;

pin_project! {
    /// A future whose panics are caught, see [`contain_future`].
    pub(crate) struct ContainedFuture<F> {
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for ContainedFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            contain::<F>(|| this.project().future.set(None));
        }
    }
}

/// Polls a future and catches its panics, including a panic in the `Drop` of values that it holds when it is cancelled.
pub(crate) fn contain_future<F: Future>(future: F) -> ContainedFuture<F> {
    ContainedFuture { future: Some(future) }
}

impl<F: Future> Future for ContainedFuture<F> {
    type Output = Result<F::Output, Panic>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = self.project().future.as_pin_mut() else { return Poll::Pending };
        poll_caught(future, cx)
    }
}

/// Drops a value of the application. A panic in its `Drop` is caught and logged.
#[inline]
pub(crate) fn drop_contained<T>(value: T) {
    contain::<T>(|| drop(value));
}

#[inline]
fn contain<T>(drop: impl FnOnce()) {
    if !mem::needs_drop::<T>() {
        return;
    }
    if let Err(panic) = catch_unwind(drop) {
        log_entry!(ERROR, value = type_name::<T>(), cause = ?Cause::new(&panic.message()), "caught a panic in `Drop`");
    }
}

/// A value of the application that may be dropped anywhere: a panic in its `Drop` is caught and logged.
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    /// The value is present until `into_inner` or `drop` takes it, and `self` cannot be used after either.
    const INVARIANT: &'static str = "bug: contained value used after it was taken";

    pub(crate) fn new(value: T) -> Contained<T> {
        Contained(Some(value))
    }

    pub(crate) fn into_inner(mut self) -> T {
        self.0.take().expect(Self::INVARIANT)
    }
}

impl<T> Deref for Contained<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect(Self::INVARIANT)
    }
}

impl<T> DerefMut for Contained<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect(Self::INVARIANT)
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        drop_contained(self.0.take());
    }
}
