//! Every name that generated code uses, and nothing else. No part of the public API.

pub use std::boxed::Box;

pub use serde;

pub use crate::__declare as declare;
pub use crate::__register as register;
pub use crate::__register_group as register_group;
pub use crate::action::{
    Argument, FromContext, HookOutcome, Identity, IntoReply, LeafOverObjects, Load, LoadedParameter, LoadingObjects,
    ObjectParameter, arguments, arguments_before, nested, path, returned,
};
pub use crate::consumer::{
    ActionDescriptor, ActionFn, CaptureUse, Consumer, ConsumerBlock, Dispatch, EventDescriptor, HandlerBlock,
    HandlerDescriptor, Mountable, Pattern, Regex, Registration, RouteDescriptor, Segment, Traversal, check,
    check_mount, check_node, no_captures, no_captures_here,
};
#[cfg(feature = "registry")]
pub use crate::consumer::{GroupRegistration, inventory};
pub use crate::context::{Authorized, Call, ConnectContext, Context, GrantKeys, Handler, Scope, may_on};
pub use crate::error::{Error, Result};
pub use crate::grants::{Codename, CodenameRow};
pub use crate::message::Reply;
pub use crate::permission::{Evaluation, Expr, Expression, ObjectEvaluation, ObjectPermission, Permission, RuleAnswer};
pub use crate::pubsub::{
    Carries, Emits, EventEvaluation, EventPermission, Frame, Group, GroupPermission, Subscriber, event_key, frame,
    may_join_on, personal_frame,
};

/// What an action without arguments does with its admission; an error where it was only asked whether it may run.
pub fn no_arguments<U>(call: &Call<'_, U>, _: &Authorized) -> Result<()> {
    call.go_on()
}

/// Starts an action. Nothing is awaited between this and its first poll.
#[inline]
pub fn start<U>(call: &Call<'_, U>) -> Result<()> {
    call.start()
}

/// What a leaf about an object says before anything is loaded.
pub fn beforehand(always: Option<bool>) -> Result<Option<bool>> {
    Ok(always)
}

/// Refuses a leaf that can only be asked about one object.
#[track_caller]
pub const fn single_only(single: bool, told: &'static str) {
    assert!(single, "{}", told);
}

/// Refuses a leaf that says the same of every object, as `AllowAny` does under another name.
#[track_caller]
pub const fn asks(always: Option<bool>, told: &'static str) {
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
