//! Checks in constant evaluation, for what one attribute cannot see of another.

mod handler;
mod message;
mod mounts;

pub(super) use handler::check_built_in;
pub use handler::check_node;
pub use mounts::{check, check_mount, no_captures, no_captures_here};
