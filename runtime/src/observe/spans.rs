//! The `tracing` spans of connections and actions.
//!
//! Their targets begin with `portcullis::span`, so that filters can tell them from log entries. They carry no text of a
//! client but the id of its user and its address.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use pin_project_lite::pin_project;
use tracing::field::{Empty, debug};
use tracing::{Level, Span, info_span, span_enabled};

use super::action_table::ActionName;
use crate::context::ConnectionId;
use crate::log::Truncated;

/// Creates the span of a connection. `user` is called only if it is enabled. It has no parent, because it outlives the span
/// of the HTTP request, which it follows from.
pub(crate) fn connection_span(
    consumer: &'static str,
    id: ConnectionId,
    peer: Option<IpAddr>,
    user: impl FnOnce() -> Option<String>,
) -> Option<Box<Span>> {
    // The values are evaluated only if the span is enabled.
    let span = info_span!(
        target: "portcullis::span::connection",
        parent: None,
        "portcullis.connection",
        connection_id = %id,
        consumer,
        user = user().as_deref().map(Truncated::new).map(debug),
        peer = peer.map(display),
    );
    if span.is_disabled() {
        return None;
    }
    span.follows_from(Span::current());
    Some(Box::new(span))
}

/// Records the user of a connection.
pub(crate) fn record_user(span: &Span, user_id: &str) {
    span.record("user", debug(Truncated::new(user_id)));
}

/// Returns whether spans of actions are enabled.
#[inline]
pub(super) fn is_action_span_enabled() -> bool {
    span_enabled!(target: "portcullis::span::action", Level::INFO)
}

/// Creates the span of an action.
pub(super) fn action_span(name: ActionName) -> Span {
    let ActionName { action, route } = name;
    info_span!(
        target: "portcullis::span::action",
        "portcullis.action",
        action,
        route,
        status = Empty,
        duration = Empty,
    )
}

/// Records how an action has ended.
pub(super) fn record_end(span: &Span, status: StatusCode, duration: Duration) {
    span.record("status", status.as_u16());
    span.record("duration", duration.as_secs_f64());
}

pin_project! {
    /// A future in a span, see [`in_span`].
    pub(crate) struct InSpan<F> {
        #[pin]
        future: F,
        span: Option<Box<Span>>,
    }
}

/// Runs a future in a span, if there is one. Smaller than [`tracing::Instrument::instrument`] by 32 bytes, and there is one
/// per connection.
pub(crate) fn in_span<F>(span: Option<Box<Span>>, future: F) -> InSpan<F> {
    InSpan { future, span }
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
