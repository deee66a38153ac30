//! What can go wrong on the way of a message, and what the client is told of it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::panic::drop_contained;

/// The result of everything that an application hands to Portcullis.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal or a failure, as an action, a permission or a hook returns it.
///
/// A status from 400 to 499 is the application's own word to the client: status, code and detail are sent as they are.
/// Anything else is a *fault*: the client gets 500 with a fixed text and an id, the cause goes to the log under that id.
///
/// An application's own error type takes part by `impl From<MyError> for portcullis::Error`.
pub struct Error(Box<Inner>);

struct Inner {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    leaf: Option<&'static str>,
    /// Whether it says that the message itself is wrong, as our own readers of it find.
    is_about_message: bool,
    /// Whether it says that nothing was refused, and nothing done.
    is_authorized_only: bool,
}

/// Contains a panic in the `Drop` of the cause, because an error may be dropped on the task of another connection.
impl Drop for Inner {
    fn drop(&mut self) {
        drop_contained(self.cause.take());
    }
}

impl Error {
    /// An error with a status, a stable machine-readable code and a text for people.
    ///
    /// A status outside 400–499 makes it a fault: the client then sees neither code nor detail.
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Error {
        let (code, detail) = (code.into(), detail.into());
        Error(Box::new(Inner {
            status,
            code,
            detail,
            field: None,
            retry_after: None,
            cause: None,
            leaf: None,
            is_about_message: false,
            is_authorized_only: false,
        }))
    }

    /// 400: the message or its arguments make no sense.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Error {
        Error::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// 401: the application asks the client to log in first. Portcullis itself never answers a message with it; at the door it
    /// turns away credentials that have run out.
    pub fn unauthenticated() -> Error {
        Error::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Authentication is required.")
    }

    /// 403: the refusal that a failed permission gives, word for word.
    pub fn denied() -> Error {
        Error::new(StatusCode::FORBIDDEN, "permission_denied", "Permission denied.")
    }

    /// 404: no such route or object.
    pub fn not_found() -> Error {
        Error::new(StatusCode::NOT_FOUND, "not_found", "Not found.")
    }

    /// 409: the action does not fit the present state.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Error {
        Error::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// 429: too many; the client may come again after `retry_after`, which the reply gives in whole seconds, rounded up.
    pub fn too_many_requests(retry_after: Duration) -> Error {
        let mut error = Error::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests.");
        error.0.retry_after = Some(retry_after);
        error
    }

    /// 500: a fault of the server. The client learns nothing of the cause; the log has it.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        let mut error = Error::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Internal error.");
        error.0.cause = Some(cause.into());
        error
    }

    pub(crate) fn too_many_objects(max_objects: usize) -> Error {
        let detail = format!("A list names {max_objects} objects at most.");
        Error::new(StatusCode::BAD_REQUEST, "too_many_objects", detail)
    }

    pub(crate) fn unknown_action() -> Error {
        Error::new(StatusCode::METHOD_NOT_ALLOWED, "unknown_action", "Unknown action.")
    }

    pub(crate) fn timeout() -> Error {
        Error::new(StatusCode::REQUEST_TIMEOUT, "timeout", "The action took too long.")
    }

    /// That every permission on the way held, where nothing else was asked. No client ever sees it.
    pub(crate) fn authorized_only() -> Error {
        let mut error = Error::internal("nothing but the permissions was asked");
        error.0.is_authorized_only = true;
        error
    }

    pub(crate) fn is_authorized_only(&self) -> bool {
        self.0.is_authorized_only
    }

    /// Names the argument that the error is about.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<Cow<'static, str>>) -> Error {
        self.0.field = Some(field.into());
        self
    }

    pub(crate) fn into_message_error(mut self) -> Error {
        self.0.is_about_message = true;
        self
    }

    pub(crate) fn is_message_error(&self) -> bool {
        self.0.is_about_message
    }

    pub(crate) fn with_leaf(mut self, leaf: &'static str) -> Error {
        self.0.leaf = Some(leaf);
        self
    }

    /// The status that the reply carries.
    pub fn status(&self) -> StatusCode {
        if self.is_fault() { StatusCode::INTERNAL_SERVER_ERROR } else { self.0.status }
    }

    /// Whether this is the server's fault: anything but a status from 400 to 499.
    pub fn is_fault(&self) -> bool {
        !self.0.status.is_client_error()
    }

    /// The stable code, for programs.
    pub fn code(&self) -> &str {
        if self.is_fault() { "internal_error" } else { &self.0.code }
    }

    /// The text for people, as the client sees it.
    pub fn detail(&self) -> &str {
        if self.is_fault() { "Internal error." } else { &self.0.detail }
    }

    pub(crate) fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The permission leaf that refused or failed, for the log.
    pub(crate) fn leaf(&self) -> Option<&'static str> {
        self.0.leaf
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.status.as_u16(), self.0.code, self.0.detail)?;
        match &self.0.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("status", &self.0.status)
            .field("code", &self.0.code)
            .field("detail", &self.0.detail)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.cause {
            Some(cause) => Some(&**cause),
            None => None,
        }
    }
}
