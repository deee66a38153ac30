//! Every name that generated code uses, and nothing else. No part of the public API.

pub use std::boxed::Box;

pub use serde;

pub use crate::__declare as declare;
pub use crate::__register as register;
pub use crate::__register_group as register_group;
pub use crate::action::{
    Argument, FromContext, IntoReply, LeafOverObjects, Load, LoadedParameter, LoadingObjects, ObjectParameter,
    output_conversion, read_arguments, read_arguments_for_evaluation, read_capture, read_nested,
};
pub use crate::consumer::{
    ActionDescriptor, ActionFn, CaptureUse, Consumer, ConsumerBlock, Dispatch, EventDescriptor, HandlerBlock,
    HandlerDescriptor, Mountable, Pattern, Regex, Registration, RouteDescriptor, Segment, Traversal,
    check_connect_captures, check_consumer_captures, check_descriptor, check_mount, check_mounts,
};
#[cfg(feature = "registry")]
pub use crate::consumer::{CodenameGroupRow, inventory};
pub use crate::context::{Authorized, Call, ConnectContext, Context, GrantKeys, Handler, Scope, may_on};
pub use crate::error::{Error, Result};
pub use crate::grants::{Codename, CodenameRow};
pub use crate::message::Reply;
pub use crate::permission::{Evaluation, Expr, Expression, ObjectEvaluation, ObjectPermission, Permission, RuleAnswer};
pub use crate::pubsub::{
    Carries, Emits, EventEvaluation, EventPermission, Frame, Group, GroupPermission, Subscriber, encode_frame,
    encode_personal_frame, hash_coalescing_key, may_join_on,
};

/// What an action without arguments does with its admission; an error where it was only asked whether it may run.
pub fn check_execution<U>(call: &Call<'_, U>, _: &Authorized) -> Result<()> {
    call.go_on()
}

/// Starts an action. Nothing is awaited between this and its first poll.
#[inline]
pub fn start_action<U>(call: &Call<'_, U>) -> Result<()> {
    call.start()
}

/// What a leaf about an object says before anything is loaded.
pub fn answer_before_loading(always: Option<bool>) -> Result<Option<bool>> {
    Ok(always)
}

/// Refuses a leaf that can only be asked about one object.
#[track_caller]
pub const fn check_single_object(single: bool, told: &'static str) {
    assert!(single, "{}", told);
}

/// Refuses a leaf that says the same of every object, as `AllowAny` does under another name.
#[track_caller]
pub const fn check_depends_on_object(always: Option<bool>, told: &'static str) {
    assert!(always.is_none(), "{}", told);
}

/// What a codename says at the door.
pub fn no_opinion() -> Result<Option<bool>> {
    Ok(None)
}

/// What a leaf answers that the generated code does not know. It cannot come: both are written from one expression.
pub fn unknown_leaf<T>() -> Result<T> {
    Err(Error::internal("an expression asked for a leaf that is not there"))
}

/// What a route answers that the generated code does not know. It cannot come: both are written from one block.
pub fn unknown_route<T>() -> Result<T> {
    Err(Error::internal("a route without a handler"))
}

/// What `#[authenticate]` returned.
#[diagnostic::on_unimplemented(
    message = "`#[authenticate]` cannot return `{Self}`",
    label = "does not say who it is",
    note = "return `Result<Option<{U}>, E>` with an error that converts into `portcullis::Error`; `None` is nobody"
)]
pub trait Identity<U> {
    /// As a result.
    fn into_identity(self) -> Result<Option<U>>;
}

impl<U, E: Into<Error>> Identity<U> for Result<Option<U>, E> {
    fn into_identity(self) -> Result<Option<U>> {
        self.map_err(Into::into)
    }
}

/// What `#[connect]` returned.
#[diagnostic::on_unimplemented(
    message = "`#[connect]` cannot return `{Self}`",
    label = "cannot be the outcome of `#[connect]`",
    note = "return nothing, or a `Result<(), E>` whose error converts into `portcullis::Error`"
)]
pub trait HookOutcome {
    /// As a result.
    fn into_result(self) -> Result<()>;
}

impl HookOutcome for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}

impl<E: Into<Error>> HookOutcome for Result<(), E> {
    fn into_result(self) -> Result<()> {
        self.map_err(Into::into)
    }
}
