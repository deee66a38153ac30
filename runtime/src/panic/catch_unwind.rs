//! Calls application code and catches its panics.

use std::any::Any;
use std::fmt;
use std::mem;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

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
/// holds; [`contain_future`](super::contain_future) does.
pub(crate) fn catch_unwind_future<F: Future>(future: F) -> CatchUnwind<F> {
    CatchUnwind { future }
}

impl<F: Future> Future for CatchUnwind<F> {
    type Output = Result<F::Output, Panic>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_caught(self.project().future, cx)
    }
}

pub(super) fn poll_caught<F: Future>(future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Panic>> {
    match catch_unwind(|| future.poll(cx)) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    }
}
