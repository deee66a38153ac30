//! Calling actions: typed parameters, and conversion of return values into replies.

mod argument_error;
mod arguments;
mod error_conversion;
mod from_context;
mod hook_outcome;
mod into_reply;
mod json_path;
mod object;
mod reply_kind;
mod streamed;
#[cfg(feature = "validate")]
mod validation;

pub use arguments::{Argument, Str, read_arguments, read_arguments_for_evaluation, read_capture};
pub use error_conversion::error_conversion;
pub use from_context::FromContext;
pub use hook_outcome::{HookOutcome, Identity};
pub use into_reply::{Created, IntoReply, NoContent, NoReply, output_conversion};
pub use json_path::read_nested;
pub use object::{Load, LoadOptions, LoadedParameter, LoadingObjects, Object, ObjectParameter};
pub use reply_kind::{FindReply, ReplyValue, check_in_order, future_output, never_called, streams};
pub use streamed::Streamed;
#[cfg(feature = "validate")]
pub use validation::{ValidatedArgument, Validation};
