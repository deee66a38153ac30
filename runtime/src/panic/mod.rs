//! Containment of panics in application code, `Drop` included.

use std::any::{Any, type_name};
use std::fmt;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::log::Cause;

/// The payload of a caught panic. Dropping it does not panic, whatever the payload's own `Drop` does.
pub(crate) struct Panic(Box<dyn Any + Send>);

impl Panic {
    /// The message of the panic. Empty if the payload is not text.
    pub(crate) fn message(&self) -> &str {
        let text = self.0.downcast_ref::<&str>().copied();
        text.or_else(|| self.0.downcast_ref::<String>().map(String::as_str)).unwrap_or_default()
    }
}

impl Drop for Panic {
    fn drop(&mut self) {
        // `Box::new(())` does not allocate.
        let payload = mem::replace(&mut self.0, Box::new(()));
        if let Err(second) = std::panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            // Dropping this payload may panic in turn, without end.
            mem::forget(second);
        }
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Panic").field(&self.message()).finish()
    }
}

/// Calls a closure and catches its panic.
pub(crate) fn catch_unwind<T>(call: impl FnOnce() -> T) -> Result<T, Panic> {
    std::panic::catch_unwind(AssertUnwindSafe(call)).map_err(Panic)
}

pin_project! {
    /// A future whose panics are caught, see [`catch_unwind_future`].
    pub(crate) struct CatchUnwind<F> {
        #[pin]
        future: F,
    }
}

/// Polls a future and catches its panics.
///
/// The returned future is as large as `future`. It does not catch a panic in the `Drop` of values that a cancelled future
/// holds; [`contain_future`] does.
pub(crate) fn catch_unwind_future<F: Future>(future: F) -> CatchUnwind<F> {
    CatchUnwind { future }
}

impl<F: Future> Future for CatchUnwind<F> {
    type Output = Result<F::Output, Panic>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_caught(self.project().future, cx)
    }
}

fn poll_caught<F: Future>(future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Panic>> {
    match catch_unwind(|| future.poll(cx)) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    }
}

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
        tracing::error!(value = type_name::<T>(), cause = ?Cause::new(&panic.message()), "caught a panic in `Drop`");
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

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use futures_util::FutureExt;

    use super::*;

    /// Panics when it is dropped. The payload is another `Bomb`, for that many levels.
    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            match self.0 {
                0 => panic!("dropped"),
                more => panic_any(Bomb(more - 1)),
            }
        }
    }

    #[test]
    fn panic_message_is_text_or_empty() {
        let message = |panics: fn()| catch_unwind(panics).unwrap_err().message().to_owned();
        assert_eq!(message(|| panic!("plain")), "plain");
        assert_eq!(message(|| panic!("{}", String::from("made"))), "made");
        assert_eq!(message(|| panic_any(5)), "");
    }

    #[test]
    fn payload_whose_drop_panics_is_contained() {
        for depth in 0..3 {
            assert!(catch_unwind(|| panic_any(Bomb(depth))).is_err());
            drop_contained(Bomb(depth));
            drop(Contained::new(Bomb(depth)));
        }
    }

    #[test]
    fn value_whose_drop_panics_is_contained_during_unwinding() {
        let panic = catch_unwind(|| {
            let _value = Contained::new(Bomb(1));
            panic!("first");
        });
        assert_eq!(panic.unwrap_err().message(), "first");
    }

    #[test]
    fn cancelled_future_whose_locals_panic_is_contained() {
        let pending = async {
            let _value = Bomb(0);
            std::future::pending::<()>().await;
        };
        let mut caught = Box::pin(contain_future(pending));
        assert!((&mut caught).now_or_never().is_none());
        drop(caught);
        let panics = contain_future(async { panic!("polled") });
        assert_eq!(panics.now_or_never().unwrap().unwrap_err().message(), "polled");
        let panics = catch_unwind_future(async { panic!("polled") });
        assert_eq!(panics.now_or_never().unwrap().unwrap_err().message(), "polled");
    }

    #[test]
    fn catch_unwind_future_has_the_size_of_its_future() {
        let future = async {
            tokio::task::yield_now().await;
            String::new()
        };
        let size = size_of_val(&future);
        assert_eq!(size_of_val(&catch_unwind_future(future)), size);
    }

    #[test]
    fn contained_value_can_be_read_and_taken() {
        let mut value = Contained::new(vec![1]);
        value.push(2);
        assert_eq!((value.len(), value.into_inner()), (2, vec![1, 2]));
    }
}
