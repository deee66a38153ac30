//! Return types of actions, and their conversion into replies.

use std::marker::PhantomData;
use std::ops::Deref;

use http::StatusCode;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::message::Reply;

/// A reply with status 201 and the value as data.
///
/// ```
/// use portcullis::{AllowAny, Created, consumer};
///
/// struct Notes;
///
/// #[consumer]
/// impl Notes {
///     #[action(permission = AllowAny)]
///     async fn create(&self, text: String) -> Created<String> { Created(text) }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created<T>(pub T);

/// A reply with status 204 and `null` as data.
///
/// ```
/// use portcullis::{AllowAny, NoContent, consumer};
///
/// struct Notes;
///
/// #[consumer]
/// impl Notes {
///     #[action(permission = AllowAny)]
///     async fn delete(&self, id: u32) -> NoContent { NoContent }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContent;

/// No reply. Errors are still sent to the client.
///
/// ```
/// use portcullis::{AllowAny, NoReply, consumer};
///
/// struct Cursor;
///
/// #[consumer]
/// impl Cursor {
///     #[action(permission = AllowAny)]
///     async fn moved(&self, x: u32, y: u32) -> NoReply { NoReply }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoReply;

/// Marks serializable values that become the data of a 200 reply.
#[derive(Debug)]
pub struct PlainReply;

/// Marks types that determine the status of the reply.
#[derive(Debug)]
pub struct StatusReply;

/// Marks `Result`s of other replies.
#[derive(Debug)]
pub struct FallibleReply<M>(PhantomData<M>);

/// A type that an action may return.
///
/// | type | status | data |
/// |---|---|---|
/// | `T: Serialize` | 200 | the value |
/// | [`Created<T>`] | 201 | the value |
/// | [`NoContent`] | 204 | `null` |
/// | `(T, StatusCode)` | the code, from 200 to 299 | the value |
/// | [`NoReply`] | no reply | |
/// | [`Streamed<S>`](crate::Streamed) | per item | one reply per item, then a last one |
/// | `Result<T, E>` with an error that [`Error`] lists | as `T`, or of the error | as `T` |
///
/// Every serializable type implements it. An action that can fail returns a `Result`:
///
/// ```
/// use portcullis::{AllowAny, Error, Result, StatusCode, consumer};
///
/// struct Jobs;
///
/// #[consumer]
/// impl Jobs {
///     #[action(permission = AllowAny)]
///     async fn start(&self, name: &str) -> Result<(String, StatusCode)> {
///         if name.is_empty() {
///             return Err(Error::bad_request("A job has a name."));
///         }
///         Ok((name.to_owned(), StatusCode::ACCEPTED))
///     }
/// }
/// ```
///
/// `M` is a marker that the compiler infers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a reply",
    label = "cannot be sent as a reply",
    note = "return a type that implements `serde::Serialize`, `Created`, `NoContent`, `NoReply`, or a `Result` of one of these whose error converts into `portcullis::Error`",
    note = "to set the status, return `(T, StatusCode)`; for one reply per value of a stream, return `Streamed`; refuse with an `Error`, such as `Error::conflict(..)`"
)]
pub trait IntoReply<M> {
    /// Whether the reply is a stream. Default: `false`.
    ///
    /// An action that streams takes one of [`Limits::max_streams`](crate::Limits::max_streams) before its checks. A type that
    /// passes a [`Streamed`](crate::Streamed) on to its `into_reply` must set this to `true`; otherwise the reply is a fault
    /// (500).
    const STREAMS: bool = false;

    /// Writes status and data of the reply.
    ///
    /// # Errors
    ///
    /// An error becomes the reply. A status outside 200 to 299 and a value that fails to serialize are faults (500).
    fn into_reply(self, reply: &mut Reply) -> Result<()>;
}

impl<T: Serialize> IntoReply<PlainReply> for T {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        reply.data(StatusCode::OK, &self)
    }
}

impl<T: Serialize> IntoReply<StatusReply> for Created<T> {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        reply.data(StatusCode::CREATED, &self.0)
    }
}

impl IntoReply<StatusReply> for NoContent {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        reply.data(StatusCode::NO_CONTENT, &())
    }
}

impl IntoReply<StatusReply> for NoReply {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        reply.nothing();
        Ok(())
    }
}

impl<T: Serialize> IntoReply<StatusReply> for (T, StatusCode) {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        let (data, status) = self;
        reply.data(status, &data)
    }
}

impl<T: IntoReply<M>, E: Into<Error>, M> IntoReply<FallibleReply<M>> for Result<T, E> {
    const STREAMS: bool = T::STREAMS;

    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        self.map_err(Into::into)?.into_reply(reply)
    }
}

/// The return type of an action as a value, to tell a `Result` from other types.
///
/// The macros see only the name of a type, and `Result` has aliases. Generated code calls `__into_result` on this type:
/// method resolution finds the inherent method for a `Result`, and the one of [`NonResult`] behind [`Deref`] for every other
/// type.
#[derive(Debug)]
pub struct ReturnType<T>(NonResult<T>);

/// The return type of an action that is not a `Result`.
#[derive(Debug)]
pub struct NonResult<T>(PhantomData<fn() -> T>);

/// Returns the type of an action's return value.
pub fn output_conversion<T>(_: &T) -> ReturnType<T> {
    ReturnType::new()
}

impl<T> ReturnType<T> {
    pub(super) fn new() -> ReturnType<T> {
        ReturnType(NonResult(PhantomData))
    }
}

impl<T, E> ReturnType<Result<T, E>> {
    /// Returns the result of the action.
    pub fn __into_result(self, output: Result<T, E>) -> Result<T, E> {
        output
    }
}

impl<T> Deref for ReturnType<T> {
    type Target = NonResult<T>;

    fn deref(&self) -> &NonResult<T> {
        &self.0
    }
}

impl<T> NonResult<T> {
    /// Returns the value of the action as a `Result`.
    #[expect(clippy::unnecessary_wraps, reason = "same signature as the method for `Result`")]
    pub fn __into_result(&self, output: T) -> Result<T> {
        Ok(output)
    }
}
