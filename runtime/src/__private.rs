//! The names that generated code uses, and nothing else. Not part of the public API.

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

/// Consumes the authorization of an action without arguments. Fails if the traversal only reauthorizes the action.
pub fn no_arguments<U>(call: &Call<'_, U>, _: &Authorized) -> Result<()> {
    call.go_on()
}

/// Starts an action. Generated code awaits nothing between this call and the first poll of the action.
#[inline]
pub fn start<U>(call: &Call<'_, U>) -> Result<()> {
    call.start()
}

/// Returns the value of an object leaf before any object is loaded.
pub fn beforehand(always: Option<bool>) -> Result<Option<bool>> {
    Ok(always)
}

/// Rejects, at compile time, a leaf that requires a parameter with exactly one object, such as a negated one.
#[track_caller]
pub const fn single_only(single: bool, message: &'static str) {
    assert!(single, "{}", message);
}

/// Rejects, at compile time, a leaf whose value does not depend on the object: an alias of `AllowAny`.
#[track_caller]
pub const fn asks(always: Option<bool>, message: &'static str) {
    assert!(always.is_none(), "{}", message);
}

/// Returns the value of a codename in the connect phase: no opinion.
pub fn no_opinion() -> Result<Option<bool>> {
    Ok(None)
}

/// The result for a leaf index that the generated code does not have. Unreachable: both come from one expression.
pub fn unknown_leaf<T>() -> Result<T> {
    Err(Error::internal("bug: an expression has no leaf with this index"))
}

/// The result for a route id that the generated code does not have. Unreachable: both come from one block.
pub fn unknown_route<T>() -> Result<T> {
    Err(Error::internal("bug: a route has no handler"))
}
