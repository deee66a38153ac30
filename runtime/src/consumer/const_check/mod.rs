//! Checks in constant evaluation, for what one attribute cannot see of another.

mod handler;
mod message;
mod mounts;

pub use handler::check_node;
pub(super) use handler::check_reserved_name;
pub use mounts::{check, check_mount, no_captures, no_captures_here};
