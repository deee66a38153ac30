//! The error type of the framework and what a client sees of it.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

use crate::panic::drop_contained;

/// A `Result` whose error is [`Error`] unless another type is given.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of an action, a permission, an extractor or a hook.
///
/// The status decides what the reply shows:
///
/// | status | reply | log level |
/// |---|---|---|
/// | 400 to 499 | the status, the code and the detail of the error | `info` or `debug` |
/// | 503 `broker_unavailable`, which only Portcullis creates | the status, the code and the detail | `debug` |
/// | any other | status 500, code `internal_error`, detail `Internal error.` and an id | `error` |
///
/// An error of the last row is called a *fault*. Its cause is logged under the id and not sent.
///
/// An action may return an error type of the application. If that type converts into `Error`, the conversion decides the
/// status. Any other type that implements [`std::error::Error`], `Box<dyn std::error::Error + Send + Sync>` and, with the
/// feature `anyhow`, `anyhow::Error` become a fault, unless the box holds an `Error`. In other functions,
/// [`ResultExt::fault`](crate::ResultExt::fault) converts such errors.
///
/// With the feature `axum`, an `Error` is also the response of an HTTP handler, see
/// [`issue_ticket`](crate::Endpoint::issue_ticket).
///
/// ```
/// use portcullis::{AllowAny, Error, StatusCode, consumer};
///
/// enum PayError {
///     TooExpensive { limit: u32 },
///     Bank(std::io::Error),
/// }
///
/// impl From<PayError> for Error {
///     fn from(error: PayError) -> Error {
///         match error {
///             PayError::TooExpensive { limit } => {
///                 let detail = format!("At most {limit} can be paid at once.");
///                 Error::new(StatusCode::UNPROCESSABLE_ENTITY, "too_expensive", detail).with_field("amount")
///             }
///             PayError::Bank(cause) => Error::internal(cause),
///         }
///     }
/// }
///
/// struct Shop;
///
/// #[consumer]
/// impl Shop {
///     #[action(permission = AllowAny)]
///     async fn pay(&self, amount: u32) -> Result<(), PayError> {
///         if amount > 100 { Err(PayError::TooExpensive { limit: 100 }) } else { Ok(()) }
///     }
/// }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
    /// Further entries of the reply.
    more: Vec<Error>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
    /// The permission leaf that refused or failed.
    leaf: Option<&'static str>,
    /// The id of the log entry with the cause, if there is one.
    log_id: Option<String>,
    /// Whether Portcullis found the message itself invalid, for example a capture that does not parse.
    is_about_message: bool,
    /// Whether this marks a traversal that only evaluated the permissions: all held, and the action was not called.
    is_authorized_only: bool,
    /// Whether the broker cannot be reached, so that the status is sent although it is not between 400 and 499.
    is_unavailable: bool,
}

/// Contains a panic in the `Drop` of the cause, because an error may be dropped on the task of another connection.
impl Drop for Inner {
    fn drop(&mut self) {
        drop_contained(self.cause.take());
    }
}

impl Error {
    /// Creates an error with a status, a stable code for programs and a text for people.
    ///
    /// A status outside 400 to 499 makes it a fault: the client then sees neither the code nor the detail.
    ///
    /// ```
    /// use portcullis::{Error, StatusCode};
    ///
    /// let error = Error::new(StatusCode::GONE, "room_closed", "The room is closed.");
    /// assert_eq!((error.status(), error.code(), error.is_fault()), (StatusCode::GONE, "room_closed", false));
    ///
    /// let fault = Error::new(StatusCode::BAD_GATEWAY, "bank_down", "The bank does not answer.");
    /// assert_eq!((fault.status().as_u16(), fault.code()), (500, "internal_error"));
    /// ```
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, detail: impl Into<Cow<'static, str>>) -> Error {
        let (code, detail) = (code.into(), detail.into());
        Error(Box::new(Inner {
            status,
            code,
            detail,
            field: None,
            retry_after: None,
            more: Vec::new(),
            cause: None,
            leaf: None,
            log_id: None,
            is_about_message: false,
            is_authorized_only: false,
            is_unavailable: false,
        }))
    }

    /// Creates the error of a call that needs the broker, which cannot be reached: status 503, which is sent.
    pub(crate) fn broker_unavailable() -> Error {
        let detail = "A part of the service cannot be reached at the moment.";
        let mut error = Error::new(StatusCode::SERVICE_UNAVAILABLE, "broker_unavailable", detail);
        error.0.is_unavailable = true;
        error
    }

    /// Creates an error with status 400 and code `bad_request`: the message or an argument is invalid.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Error {
        Error::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// Creates an error with status 401 and code `unauthenticated`: the client has to log in first.
    ///
    /// Portcullis itself never replies to a message with 401. It rejects a handshake with 401 if the credentials have
    /// expired.
    pub fn unauthenticated() -> Error {
        Error::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Authentication is required.")
    }

    /// Creates an error with status 403 and code `permission_denied`. Its reply is that of a failed permission.
    pub fn denied() -> Error {
        Error::new(StatusCode::FORBIDDEN, "permission_denied", "Permission denied.")
    }

    /// Creates an error with status 404 and code `not_found`: the route or the object does not exist.
    pub fn not_found() -> Error {
        Error::new(StatusCode::NOT_FOUND, "not_found", "Not found.")
    }

    /// Creates an error with status 409 and code `conflict`: the action does not fit the current state.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Error {
        Error::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// Creates an error with status 429 and code `too_many_requests`.
    ///
    /// The reply has `retry_after` in seconds, rounded up: the client may try again after that time.
    pub fn too_many_requests(retry_after: Duration) -> Error {
        let mut error = Error::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests.");
        error.0.retry_after = Some(retry_after);
        error
    }

    /// Creates a fault: status 500 and code `internal_error`.
    ///
    /// The cause is logged and not sent to the client.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        let mut error = Error::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Internal error.");
        error.0.cause = Some(cause.into());
        error
    }

    /// Returns the `Error` in the box, which may itself be boxed, or a fault with that cause.
    pub(crate) fn from_boxed(cause: Box<dyn StdError + Send + Sync>) -> Error {
        let cause = match cause.downcast::<Error>() {
            Ok(error) => return *error,
            Err(cause) => cause,
        };
        cause.downcast::<Box<Error>>().map_or_else(Error::internal, |error| **error)
    }

    /// Returns the `Error` in `cause`, in whatever context it is and boxed or not, or a fault with that cause.
    #[cfg(feature = "anyhow")]
    pub(crate) fn from_anyhow(cause: anyhow::Error) -> Error {
        let unboxed = cause.downcast().or_else(|cause| cause.downcast::<Box<Error>>().map(|error| *error));
        unboxed.unwrap_or_else(Error::internal)
    }

    pub(crate) fn too_many_objects(max_objects: usize) -> Error {
        let detail = format!("A list names {max_objects} objects at most.");
        Error::new(StatusCode::BAD_REQUEST, "too_many_objects", detail)
    }

    pub(crate) fn unknown_action() -> Error {
        Error::new(StatusCode::METHOD_NOT_ALLOWED, "unknown_action", "Unknown action.")
    }

    /// Creates the refusal of an action that has run and whose caller has lost the right to it meanwhile.
    pub(crate) fn rights_changed() -> Error {
        let detail = "The action has run, but rights have changed meanwhile; do not retry.";
        Error::new(StatusCode::FORBIDDEN, "rights_changed", detail)
    }

    /// Creates the error of an action that was dropped because it was cancelled. Its status is that of nginx for a client
    /// that has closed its request.
    pub(crate) fn cancelled() -> Error {
        let status = StatusCode::from_u16(499).unwrap_or(StatusCode::REQUEST_TIMEOUT);
        Error::new(status, "cancelled", "The action was cancelled.")
    }

    pub(crate) fn timeout() -> Error {
        Error::new(StatusCode::REQUEST_TIMEOUT, "timeout", "The action took too long.")
    }

    /// Creates the marker that all permissions hold, for a traversal that evaluates nothing else. It is never sent.
    pub(crate) fn authorized_only() -> Error {
        let mut error = Error::internal("bug: the marker of an evaluation without action was reported");
        error.0.is_authorized_only = true;
        error
    }

    pub(crate) fn is_authorized_only(&self) -> bool {
        self.0.is_authorized_only
    }

    /// Sets the argument that the error is about. The reply has it as `field`.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<Cow<'static, str>>) -> Error {
        self.0.field = Some(field.into());
        self
    }

    /// Adds the entries of another error, so that the reply reports several at once, for example one per field. The status
    /// of the reply is that of the first error.
    ///
    /// If one of them is a fault, the whole is one fault, and the client sees none of the entries.
    ///
    /// ```
    /// use portcullis::{Error, Result};
    ///
    /// fn validate(title: &str, text: &str) -> Result<()> {
    ///     let mut errors = Vec::new();
    ///     if title.is_empty() {
    ///         errors.push(Error::bad_request("A title is required.").with_field("title"));
    ///     }
    ///     if text.len() > 280 {
    ///         errors.push(Error::bad_request("At most 280 bytes.").with_field("text"));
    ///     }
    ///     errors.into_iter().reduce(Error::and).map_or(Ok(()), Err)
    /// }
    ///
    /// assert!(validate("Milk", "Two bottles.").is_ok());
    /// assert_eq!(validate("", &"x".repeat(281)).unwrap_err().fields().collect::<Vec<_>>(), ["title", "text"]);
    /// ```
    #[must_use]
    pub fn and(mut self, other: Error) -> Error {
        if other.is_fault() && !self.is_fault() {
            return other.and(self);
        }
        self.0.more.push(other);
        self
    }

    /// Returns the fields of all entries, see [`with_field`](Error::with_field).
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.entries().filter_map(Error::field)
    }

    /// Returns the entries of the reply: the error itself, and those that were added to it.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Error> {
        let mut pending = vec![self];
        std::iter::from_fn(move || {
            let next = pending.pop()?;
            pending.extend(next.0.more.iter().rev());
            Some(next)
        })
    }

    /// Returns whether a capture of the route does not parse.
    pub(crate) fn is_malformed_capture(&self) -> bool {
        self.0.is_about_message && self.0.status == StatusCode::NOT_FOUND
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

    /// Records that the cause is logged under that id.
    pub(crate) fn with_log_id(mut self, id: String) -> Error {
        self.0.log_id = Some(id);
        self
    }

    /// Returns the id under which the cause is logged, or `None` if it is not logged.
    pub(crate) fn log_id(&self) -> Option<&str> {
        self.0.log_id.as_deref()
    }

    /// Returns the status of the reply: 500 if the error is a fault.
    pub fn status(&self) -> StatusCode {
        if self.is_fault() { StatusCode::INTERNAL_SERVER_ERROR } else { self.0.status }
    }

    /// Returns whether the error is a fault: its status is not between 400 and 499, and it is not that of a broker that cannot be
    /// reached.
    pub fn is_fault(&self) -> bool {
        !self.0.status.is_client_error() && !self.0.is_unavailable
    }

    /// Returns the code that the client sees: `internal_error` if the error is a fault.
    pub fn code(&self) -> &str {
        if self.is_fault() { "internal_error" } else { &self.0.code }
    }

    /// Returns the detail that the client sees: `Internal error.` if the error is a fault.
    pub fn detail(&self) -> &str {
        if self.is_fault() { "Internal error." } else { &self.0.detail }
    }

    pub(crate) fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the permission leaf that refused or failed, for the log.
    pub(crate) fn leaf(&self) -> Option<&'static str> {
        self.0.leaf
    }
}

/// Writes status, code, detail and cause as they were given. The text of a fault is for the log, not for a client.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.status.as_u16(), self.0.code, self.0.detail)?;
        if let Some(cause) = &self.0.cause {
            write!(f, " ({cause})")?;
        }
        self.0.more.iter().try_for_each(|error| write!(f, "; {error}"))
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
