//! Every name that generated code uses, and nothing else. Not part of the public API.

pub use std::convert::Infallible;
pub use std::time::{Duration, SystemTime};

pub use portcullis_macros::QuotedPermission;
pub use serde;

pub use crate::__declare as declare;
pub use crate::__register as register;
pub use crate::__register_group as register_group;
pub use crate::action::{
    Argument, FindReply, FromContext, HookOutcome, Identity, IntoReply, LoadOptions, LoadedParameter, LoadingObjects,
    ObjectParameter, ReplyValue, check_in_order, error_conversion, future_output, never_called, output_conversion,
    read_arguments, read_arguments_for_evaluation, read_capture, read_nested, streams,
};
#[cfg(feature = "validate")]
pub use crate::action::{ValidatedArgument, Validation};
/// The compiler prints this name if a type has two blocks: "conflicting implementations of trait `HandlerOrConsumerBlock`".
pub use crate::broker::{EventMessage, Target, Undeliverable};
pub use crate::consumer::Dispatch as HandlerOrConsumerBlock;
pub use crate::consumer::{
    ActionBox, ActionDescriptor, ActionFn, ActionFuture, CaptureUse, Consumer, ConsumerBlock, EventDescriptor,
    HandlerBlock, HandlerDescriptor, LeafHeaders, Mount, Mountable, Pattern, PublishRule, ReceiveEvent, Regex,
    Registration, RouteDescriptor, Segment, Traversal, UnknownMount, UnsharedAction, check_consumer_captures,
    check_descriptor, check_mount, check_mounts,
};
#[cfg(feature = "registry")]
pub use crate::consumer::{GroupRegistration, inventory};
pub use crate::context::{
    Authorized, Call, ConnectContext, Context, Disconnect, Gap, GrantKey, GrantKeys, Handler, Scope, collect_keys,
    may_on,
};
pub use crate::error::{Error, Result};
pub use crate::grants::{Codename, CodenameRow};
pub use crate::message::Reply;
pub use crate::permission::{
    Conjunction, ConstantAnswer, Expr, Expression, LeafDefaults, LeafOptions, ObjectLeafOptions, ObjectPermission,
    PermissionLeaf, RuleOptions, SingleLeaf, check_header_names, check_not_constant, check_restricts, evaluate,
    evaluate_before_loading, evaluate_connect, evaluate_event, evaluate_objects, evaluate_strict_connect,
    event_decision, keep_answer, kept_answer, kept_leaves, rule_answer,
};
#[cfg(feature = "registry")]
pub use crate::pubsub::group_registration;
pub use crate::pubsub::{
    CarriedEvent, Codec, Compared, DistributedEvent, Emits, EqualityOfAny, EqualityOfPartialEq, Event, EventField,
    EventLeaf, EventLeafOptions, EventType, FieldDecoder, FieldEncoder, FieldEquality, Frame, Group, GroupLeaf,
    GroupLeafOptions, History, HistoryFunction, HistoryFuture, KeepsHistory, KeyField, KeyQuery, MemberLeafOptions,
    MemberPermission, Presence, Reach, Subscriber, UnknownReach, ViewerLeaf, answer_key_query, call_history_function,
    check_distributed, encode_frame, encode_personal_frame, fingerprint, may_join_on, member_answer, receive_event,
    viewer_answer,
};
pub use crate::rate::Rate;

use crate::context::User;

/// Checks that an authorized call is to run its action.
///
/// # Errors
///
/// Fails with the marker of a call that is only authorized and not run.
pub fn check_execution<U>(call: &Call<'_, U>, _: &Authorized) -> Result<()> {
    call.finish_authorization()
}

/// Counts a message by the rate of its action. A message that is evaluated again is counted once.
///
/// # Errors
///
/// 429 if its client exceeds the rate.
pub fn check_rate<U: User>(call: &Call<'_, U>, rate: &'static Rate) -> Result<()> {
    call.check_rate(rate)
}

/// Starts an action. Generated code awaits nothing between this call and the first poll of the action.
///
/// # Errors
///
/// Fails if rights have changed since the call was authorized, or if the session has ended.
#[inline]
pub fn start_action<U>(call: &Call<'_, U>) -> Result<()> {
    call.start()
}

/// Creates a leaf whose arguments read captures. An error of one is the result of the leaf, not of the code around it.
///
/// # Errors
///
/// Fails with the error of a capture.
#[inline]
pub fn build_leaf<P>(build: impl FnOnce() -> Result<P>) -> Result<P> {
    build()
}

/// Awaits an action with `cancel = drop`: drops it at its next `.await` when it is cancelled.
///
/// # Errors
///
/// 499 if the action was cancelled.
pub async fn await_unless_cancelled<U, T>(call: &Call<'_, U>, action: impl Future<Output = T>) -> Result<T> {
    let Some(cancelled) = call.cancelled() else { return Ok(action.await) };
    tokio::select! {
        biased;
        () = cancelled => Err(Error::cancelled()),
        output = action => Ok(output),
    }
}

/// Returns the answer of a leaf about an object before the object is loaded: `None` if the answer depends on the object.
pub fn answer_before_loading(constant_answer: Option<bool>) -> Result<Option<bool>> {
    Ok(constant_answer)
}

/// Checks at compile time that a negated leaf has exactly one object.
///
/// # Panics
///
/// Panics with `message` if the parameter may hold no object or several.
#[track_caller]
pub const fn check_single_object(is_single: bool, message: &'static str) {
    assert!(is_single, "{}", message);
}

/// Returns the answer of a codename in a connect check: none.
pub fn no_opinion() -> Result<Option<bool>> {
    Ok(None)
}

/// Returns the answer for a leaf position without generated code. This is unreachable: the positions and the code come from
/// the same expression.
///
/// # Errors
///
/// Always fails with an internal error.
pub fn unknown_leaf<T>() -> Result<T> {
    Err(Error::internal("bug: an expression selected a leaf without generated code"))
}

/// Returns the result for a route id without generated code. This is unreachable: the ids and the code come from the same
/// block.
///
/// # Errors
///
/// Always fails with an internal error.
pub fn unknown_route<T>() -> Result<T> {
    Err(Error::internal("bug: a route id without a handler"))
}
