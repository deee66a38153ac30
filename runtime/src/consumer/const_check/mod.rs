//! Compile-time checks in constant evaluation, for errors that involve several attributes: a macro sees only its own block.
//!
//! Panic texts are compile errors. Each names the item, states the problem, and suggests what to write.

mod event_types;
mod handler;
mod message;
mod mounts;

pub(super) use event_types::check_event_types;
pub use handler::check_descriptor;
pub(super) use handler::check_reserved_name;
pub use mounts::{check_consumer_captures, check_mount, check_mounts};
