//! What an action may return, and the reply that each makes.

use std::marker::PhantomData;
use std::ops::Deref;

use http::StatusCode;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::message::Reply;

/// 201, with the value as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created<T>(pub T);

/// 204, with `null` as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoContent;

/// No reply at all. Errors are still answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoReply;

/// Marks replies that are plain data.
#[derive(Debug)]
pub struct Plain;

/// Marks replies with a status of their own.
#[derive(Debug)]
pub struct Special;

/// Marks replies that may be an error instead.
#[derive(Debug)]
pub struct Fallible<M>(PhantomData<M>);

/// A value that an action may return.
///
/// | type | status | data |
/// |---|---|---|
/// | `T: Serialize` | 200 | the value |
/// | [`Created<T>`] | 201 | the value |
/// | [`NoContent`] | 204 | `null` |
/// | `(T, StatusCode)` | the code, 200 to 299 | the value |
/// | [`NoReply`] | no reply | |
/// | [`Streamed<S>`](crate::Streamed) | as each value | one reply a value, then a last one |
/// | `Result<T, E>`, `E: Into<Error>` | as `T`, or the error's | |
///
/// `M` is a marker that the compiler finds by itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a reply",
    label = "cannot be sent as a reply",
    note = "return something that implements `serde::Serialize`, `Created`, `NoContent`, `NoReply`, or a `Result` of one of these whose error converts into `portcullis::Error`"
)]
pub trait IntoReply<M> {
    /// Writes the reply's data.
    fn into_reply(self, reply: &mut Reply) -> Result<()>;
}

impl<T: Serialize> IntoReply<Plain> for T {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        reply.data(StatusCode::OK, &self)
    }
}

impl<T: Serialize> IntoReply<Special> for Created<T> {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        reply.data(StatusCode::CREATED, &self.0)
    }
}

impl IntoReply<Special> for NoContent {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        reply.data(StatusCode::NO_CONTENT, &())
    }
}

impl IntoReply<Special> for NoReply {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        reply.nothing();
        Ok(())
    }
}

impl<T: Serialize> IntoReply<Special> for (T, StatusCode) {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        let (data, status) = self;
        reply.data(status, &data)
    }
}

impl<T: IntoReply<M>, E: Into<Error>, M> IntoReply<Fallible<M>> for Result<T, E> {
    fn into_reply(self, reply: &mut Reply) -> Result<()> {
        self.map_err(Into::into)?.into_reply(reply)
    }
}

/// The type of what an action returned.
///
/// Generated code sees a type's name only, and `Result` has many. So it calls `__into_result` on this: a `Result` has a method
/// of its own, every other type has the one behind [`Deref`].
#[derive(Debug)]
pub struct Returned<T>(Value<T>);

/// A type that is no `Result`.
#[derive(Debug)]
pub struct Value<T>(PhantomData<fn() -> T>);

/// The type of that value.
pub fn output_conversion<T>(_: &T) -> Returned<T> {
    Returned(Value(PhantomData))
}

impl<T, E> Returned<Result<T, E>> {
    /// The outcome: what was returned.
    pub fn __into_result(self, output: Result<T, E>) -> Result<T, E> {
        output
    }
}

impl<T> Deref for Returned<T> {
    type Target = Value<T>;

    fn deref(&self) -> &Value<T> {
        &self.0
    }
}

impl<T> Value<T> {
    /// The outcome: what was returned cannot be an error.
    #[expect(clippy::unnecessary_wraps, reason = "a plain value is settled just as a `Result` is")]
    pub fn __into_result(&self, output: T) -> Result<T> {
        Ok(output)
    }
}
