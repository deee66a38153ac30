//! Calling user code: what goes in as typed arguments, and what comes out as a reply.

mod arguments;
mod from_context;
mod into_reply;
mod json_path;
mod object;
mod streamed;

pub use arguments::{Argument, Str, read_arguments, read_arguments_for_evaluation, read_capture};
pub use from_context::FromContext;
pub use into_reply::{Created, IntoReply, NoContent, NoReply, output_conversion};
pub use json_path::read_nested;
pub use object::{LeafOverObjects, Load, LoadedParameter, LoadingObjects, Object, ObjectParameter};
pub use streamed::Streamed;
