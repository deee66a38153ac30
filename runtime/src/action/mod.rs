//! Calling actions: typed parameters, and conversion of return values into replies.

mod arguments;
mod from_context;
mod into_reply;
mod json_path;
mod object;
mod outcome;
mod streamed;

pub use arguments::{Argument, Str, arguments, arguments_before, path};
pub use from_context::FromContext;
pub use into_reply::{Created, IntoReply, NoContent, NoReply, returned};
pub use json_path::nested;
pub use object::{LeafOverObjects, Load, LoadedParameter, LoadingObjects, Object, ObjectParameter};
pub use outcome::{HookOutcome, Identity};
pub use streamed::Streamed;
