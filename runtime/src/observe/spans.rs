//! The `tracing` spans of connections and actions.
//!
//! Their targets begin with `portcullis::span`, so that filters can tell them from log entries. They carry no text of a
//! client but the id of its user and its address.

use std::net::IpAddr;
use std::time::Duration;

use http::StatusCode;
use tracing::field::{Empty, debug};
use tracing::info_span;
use tracing::level_filters::LevelFilter;

use super::action_table::ActionName;
use crate::context::ConnectionId;
use crate::log::Truncated;
use crate::panic::ContainedSpan;

/// Creates the span of a connection. `user` is called only if it is enabled. It has no parent, because it outlives the span
/// of the HTTP request, which it follows from.
pub(crate) fn connection_span(
    consumer: &'static str,
    id: ConnectionId,
    peer: Option<IpAddr>,
    user: impl FnOnce() -> Option<String>,
) -> Option<ContainedSpan> {
    // The values are evaluated only if the span is enabled.
    let span = ContainedSpan::new(|| {
        info_span!(
            target: "portcullis::span::connection",
            parent: None,
            "portcullis.connection",
            connection_id = %id,
            consumer,
            user = user().as_deref().map(Truncated::new).map(debug),
            peer = peer.map(display),
        )
    })?;
    if let Some(current) = ContainedSpan::current() {
        span.follows_from(&current);
    }
    Some(span)
}

/// Records the user of a connection.
pub(crate) fn record_user(span: &ContainedSpan, user_id: &str) {
    span.with(|span| {
        span.record("user", debug(Truncated::new(user_id)));
    });
}

/// Returns whether spans of actions may be enabled. [`action_span`] knows whether one is.
#[inline]
pub(super) fn may_be_enabled() -> bool {
    LevelFilter::current() >= LevelFilter::INFO
}

/// Creates the span of an action, if it is enabled. `name` is called only then: the filter may depend on the name of the span
/// and on its fields.
pub(super) fn action_span(name: impl Fn() -> ActionName) -> Option<ContainedSpan> {
    ContainedSpan::new(|| {
        info_span!(
            target: "portcullis::span::action",
            "portcullis.action",
            action = name().action,
            route = name().route,
            status = Empty,
            duration = Empty,
        )
    })
}

/// Records how an action has ended.
pub(super) fn record_end(span: &ContainedSpan, status: StatusCode, duration: Duration) {
    span.with(|span| {
        span.record("status", status.as_u16());
        span.record("duration", duration.as_secs_f64());
    });
}
