//! Why a handshake is rejected, as an HTTP response or, for a web page, as a close frame.

use std::time::Duration;

#[cfg(feature = "axum")]
use axum::{body::Body, response::IntoResponse, response::Response};
use http::StatusCode;
#[cfg(feature = "axum")]
use http::header;

use crate::error::{Error, whole_seconds};
use crate::transport::CloseFrame;

/// The outcome of a failed handshake.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) status: StatusCode,
    /// When the client may try again.
    retry_after: Option<Duration>,
    /// Whether the page may read it in a close frame: its origin is allowed.
    is_readable: bool,
}

impl Rejection {
    /// Creates the rejection of a request whose origin is not allowed or not checked.
    pub(super) fn of_unknown_origin(status: StatusCode) -> Rejection {
        Rejection { status, retry_after: None, is_readable: false }
    }

    /// Creates the rejection of a request that would be accepted at another time.
    pub(super) fn of_busy_server() -> Rejection {
        let retry_after = Some(Duration::from_secs(1));
        Rejection { status: StatusCode::SERVICE_UNAVAILABLE, retry_after, is_readable: true }
    }

    /// Creates the rejection by an endpoint that is drained. Another machine accepts the client at once.
    pub(super) fn of_drained_endpoint() -> Rejection {
        Rejection { is_readable: false, ..Rejection::of_busy_server() }
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
        Rejection { status: error.status(), retry_after: error.retry_after(), is_readable: true }
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
