//! Spans of `tracing`. Their subscriber is the application's code, which may panic whenever a span is created, entered,
//! exited, recorded, cloned or dropped.

use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tracing::Span;
use tracing::span::Entered;

use super::catch_unwind::catch_unwind;
use super::contained::Contained;

/// A span, each call of which is contained: if the subscriber panics, the span misses something, and nothing else does.
pub(crate) struct ContainedSpan(Contained<Span>);

impl ContainedSpan {
    /// Creates a span. Returns `None` if it is disabled, or if the subscriber panics.
    #[inline]
    pub(crate) fn new(create: impl FnOnce() -> Span) -> Option<ContainedSpan> {
        let span = catch_unwind(create).ok()?;
        // Dropping a disabled span calls no subscriber.
        if span.is_disabled() { None } else { Some(ContainedSpan(Contained::new(span))) }
    }

    /// Returns the current span, if there is one.
    pub(crate) fn current() -> Option<ContainedSpan> {
        ContainedSpan::new(Span::current)
    }

    /// Records that this span follows from another one.
    pub(crate) fn follows_from(&self, other: &ContainedSpan) {
        self.with(|span| {
            span.follows_from(&*other.0);
        });
    }

    /// Calls a method of the span.
    pub(crate) fn with(&self, call: impl FnOnce(&Span)) {
        // A panic has been reported by the panic hook.
        drop(catch_unwind(|| call(&self.0)));
    }

    /// Enters the span until the returned guard is dropped.
    #[inline]
    pub(crate) fn enter(&self) -> Option<Contained<Entered<'_>>> {
        if let Ok(entered) = catch_unwind(|| self.0.enter()) {
            return Some(Contained::new(entered));
        }
        // The layers before the one that has panicked have entered it.
        self.with(|span| {
            span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
        });
        None
    }

    /// Calls a function in the span.
    #[inline]
    pub(crate) fn in_scope<T>(&self, call: impl FnOnce() -> T) -> T {
        let _entered = self.enter();
        call()
    }

    /// Returns another handle of the span, or `None` if the subscriber panics.
    pub(crate) fn try_clone(&self) -> Option<ContainedSpan> {
        ContainedSpan::new(|| self.0.clone())
    }
}

pin_project! {
    /// A future in a span, see [`in_span`].
    pub(crate) struct InSpan<F> {
        #[pin]
        future: F,
        span: Option<Box<ContainedSpan>>,
    }
}

/// Runs a future in a span, if there is one. Smaller than [`tracing::Instrument::instrument`] by 32 bytes, and there is one
/// per connection.
pub(crate) fn in_span<F>(span: Option<ContainedSpan>, future: F) -> InSpan<F> {
    InSpan { future, span: span.map(Box::new) }
}

/// Runs a future in the span that is current now, if there is one.
pub(crate) fn in_current_span<F>(future: F) -> InSpan<F> {
    in_span(ContainedSpan::current(), future)
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.span.as_ref().map(|span| span.enter());
        this.future.poll(cx)
    }
}
