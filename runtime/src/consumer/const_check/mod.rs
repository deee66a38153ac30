//! Compile-time checks in constant evaluation, for errors that involve several attributes: a macro sees only its own block.
//!
//! Panic texts are compile errors. Each names the item, states the problem, then says what to write.

mod handler;
mod message;
mod mounts;

pub use handler::check_node;
pub(super) use handler::check_reserved_name;
pub use mounts::{check, check_mount, no_captures, no_captures_here};
