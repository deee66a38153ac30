//! Whether an action streams, as a constant: the type that it returns may be opaque, so no generated code can name it.
//!
//! Generated code describes a call of the method in a closure that is never called. The types of that closure lead to
//! [`IntoReply::STREAMS`]: a `Result` is recognized as in [`output_conversion`](super::output_conversion), and a type that
//! cannot be a reply counts as one without a stream, because the call of the action reports it.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Deref;

use super::into_reply::{IntoReply, NonResult, ReturnType};

/// The type of the value that an action returns if it succeeds.
#[derive(Debug)]
pub struct ReplyValue<T>(UnknownReply, PhantomData<fn() -> T>);

/// A type that cannot be a reply.
#[derive(Debug)]
pub struct UnknownReply;

/// The type of a reply with its marker.
#[derive(Debug)]
pub struct KnownReply<T, M>(PhantomData<fn() -> (T, M)>);

/// Whether a reply is a stream.
pub trait ReplyKind {
    /// See [`IntoReply::STREAMS`].
    const STREAMS: bool;
}

impl ReplyKind for UnknownReply {
    const STREAMS: bool = false;
}

impl<T: IntoReply<M>, M> ReplyKind for KnownReply<T, M> {
    const STREAMS: bool = T::STREAMS;
}

/// Finds the marker of a reply. Method resolution prefers it to the method for types that cannot be one.
pub trait FindReply<T, M> {
    /// Returns the type with its marker.
    fn __reply(&self) -> KnownReply<T, M>;
}

impl<T: IntoReply<M>, M> FindReply<T, M> for ReplyValue<T> {
    fn __reply(&self) -> KnownReply<T, M> {
        KnownReply(PhantomData)
    }
}

impl<T> Deref for ReplyValue<T> {
    type Target = UnknownReply;

    fn deref(&self) -> &UnknownReply {
        &self.0
    }
}

impl UnknownReply {
    /// Returns the type itself.
    pub fn __reply(&self) -> UnknownReply {
        UnknownReply
    }
}

impl<T, E> ReturnType<Result<T, E>> {
    /// Returns the type of the value.
    pub fn __value(&self) -> ReplyValue<T> {
        ReplyValue(UnknownReply, PhantomData)
    }
}

impl<T> NonResult<T> {
    /// Returns the type of the value.
    pub fn __value(&self) -> ReplyValue<T> {
        ReplyValue(UnknownReply, PhantomData)
    }
}

/// Returns the return type of an `async` action.
pub fn future_output<F: Future>(_: &F) -> ReturnType<F::Output> {
    ReturnType::new()
}

/// Returns a value of any type, in a call that never happens.
pub fn never_called<T>(never: Infallible) -> T {
    match never {}
}

/// Returns whether the reply that a call leads to is a stream.
pub const fn streams<C, K>(_: &C) -> bool
where
    C: FnOnce(Infallible) -> K,
    K: ReplyKind,
{
    K::STREAMS
}

/// Checks that an action with `in_order` streams.
///
/// # Panics
///
/// Panics with `message` if it does not.
#[track_caller]
pub const fn check_in_order(streams: bool, message: &'static str) -> bool {
    assert!(streams, "{}", message);
    streams
}
