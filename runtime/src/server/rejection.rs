//! Why a handshake is rejected, as an HTTP response or, for a web page, as a close frame.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "axum")]
use axum::{body::Body, response::IntoResponse, response::Response};
use http::StatusCode;
#[cfg(feature = "axum")]
use http::header;

use crate::error::Error;
#[cfg(feature = "axum")]
use crate::log::{Cause, fault_id};
#[cfg(feature = "axum")]
use crate::panic::log_entry;
use crate::time::whole_seconds;
use crate::transport::CloseFrame;

/// The outcome of a failed handshake.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) status: StatusCode,
    /// When the client may try again.
    retry_after: Option<Duration>,
    /// Whether the page may read it in a close frame: its origin is allowed.
    is_readable: bool,
    /// The subprotocol to answer with, if the reason is sent in a close frame: a browser refuses an answer without one that
    /// the page has offered.
    subprotocol: Option<Arc<str>>,
}

impl Rejection {
    /// Creates the rejection of a request whose page must not or cannot read the reason: its origin is not allowed or not
    /// checked, or no subprotocol can be answered.
    pub(super) fn unreadable(status: StatusCode) -> Rejection {
        Rejection { status, retry_after: None, is_readable: false, subprotocol: None }
    }

    /// Creates the rejection of a request that exceeds the handshakes in progress.
    pub(super) fn busy() -> Rejection {
        let retry_after = Some(Duration::from_secs(1));
        Rejection { status: StatusCode::SERVICE_UNAVAILABLE, retry_after, is_readable: true, subprotocol: None }
    }

    /// Creates the rejection by an endpoint that is drained. Another machine accepts the client at once.
    pub(super) fn drained() -> Rejection {
        Rejection { is_readable: false, ..Rejection::busy() }
    }

    /// Sets the subprotocol that was negotiated.
    pub(super) fn with_subprotocol(mut self, subprotocol: Option<Arc<str>>) -> Rejection {
        self.subprotocol = subprotocol;
        self
    }

    /// Returns the subprotocol to answer with.
    #[cfg(feature = "axum")]
    pub(super) fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Returns the close frame in place of the response, or `None` if the page must not know the reason.
    pub(super) fn close_frame(&self) -> Option<CloseFrame> {
        if !self.is_readable {
            return None;
        }
        let code = match self.status {
            StatusCode::SERVICE_UNAVAILABLE => 1013,
            status if status.is_client_error() => 4000 + status.as_u16(),
            _ => 4500,
        };
        let text = match (self.status, self.retry_after) {
            (_, Some(after)) => format!("retry after {}", whole_seconds(after)).into(),
            (StatusCode::UNAUTHORIZED, None) => "unauthenticated".into(),
            (status, None) if status.is_client_error() => "refused".into(),
            _ => "internal error".into(),
        };
        Some(CloseFrame { code, text })
    }
}

impl From<&Error> for Rejection {
    fn from(error: &Error) -> Rejection {
        let (status, retry_after) = (error.status(), error.retry_after());
        Rejection { status, retry_after, is_readable: true, subprotocol: None }
    }
}

#[cfg(feature = "axum")]
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let mut response = (self.status, Body::empty()).into_response();
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, whole_seconds(after).into());
        }
        response
    }
}

/// The response of an HTTP handler: the status of the error, and `Retry-After` if the client may try again. The body of a
/// fault is `Internal error` with the id under which its cause is logged; any other error has no body.
#[cfg(feature = "axum")]
impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if !self.is_fault() {
            return Rejection::from(&self).into_response();
        }
        let id = self.log_id().map_or_else(fault_id, str::to_owned);
        if self.log_id().is_none() {
            log_entry!(ERROR, %id, cause = ?Cause::new(&self), "HTTP request failed");
        }
        (self.status(), format!("Internal error {id}")).into_response()
    }
}
