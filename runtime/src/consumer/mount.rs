//! The types of routes: which handlers a route can mount.
//!
//! Generated code names the bounds on the handler once, in the descriptor. It enters the handler without them, so that the
//! compiler reports a type which cannot be mounted once, and not for each function that uses it.

use std::future::{Future, Ready, ready};
use std::marker::PhantomData;

use super::HandlerDescriptor;
use super::traversal::{Dispatch, HandlerBlock, Traversal};
use crate::context::{Authorized, Handler};
use crate::error::{Error, Result};

/// Implemented by the block attributes whose type `H` can be mounted by a `#[route]` of `Parent`.
#[diagnostic::on_unimplemented(
    message = "`{H}` is a consumer and cannot be mounted by `#[route]`",
    label = "a consumer, not a handler",
    note = "a route would skip its connect expression, hooks, `#[authenticate]` and events; put `#[handler]` on the `impl {H}` block, or serve it at a separate path with `websocket()`"
)]
pub trait Mountable<H: Dispatch, Parent> {
    /// The descriptor of that handler.
    const DESCRIPTOR: &'static HandlerDescriptor;
}

impl<H: Dispatch, Parent: Handler> Mountable<H, Parent> for HandlerBlock
where
    H::User: SameUser<Parent::User, H, Parent>,
{
    const DESCRIPTOR: &'static HandlerDescriptor = H::DESCRIPTOR;
}

/// Implemented by each user type for itself: handler `H` and `Parent`, which mounts it, have the same.
#[diagnostic::on_unimplemented(
    message = "`{H}` has the user type `{Self}`, but `{Parent}`, which mounts it, has `{U}`",
    label = "another user type than that of `{Parent}`",
    note = "write `user = {U}` in the `#[handler(..)]` of `{H}`; without the key, the user type is `()`"
)]
pub trait SameUser<U, H, Parent> {}

impl<U, H, Parent> SameUser<U, H, Parent> for U {}

/// A handler `H` below `Parent`.
///
/// If the handler can be mounted, its `__enter` is inherent. The compiler prefers an inherent item to one of a trait, so that
/// of [`UnknownMount`] applies to all other types, which the descriptor reports.
#[derive(Debug)]
pub struct Mount<H, Parent>(PhantomData<(H, Parent)>);

impl<H: Dispatch<Block = HandlerBlock>, Parent: Handler<User = H::User>> Mount<H, Parent> {
    /// Continues the traversal in the handler.
    #[inline]
    pub fn __enter<'w>(
        handler: &'w H,
        traversal: &'w mut Traversal<'_, H::User>,
        admitted: Authorized,
    ) -> impl Future<Output = Result<()>> + Send + 'w {
        handler.enter::<Parent>(traversal, admitted)
    }
}

/// The entry of types that cannot be mounted. A program that has one does not compile.
pub trait UnknownMount {
    /// Fails.
    fn __enter<H, T>(_: &H, _: T, _: Authorized) -> Ready<Result<()>> {
        ready(Err(Error::internal("bug: a route to a type that cannot be mounted")))
    }
}

impl<H, Parent> UnknownMount for Mount<H, Parent> {}
