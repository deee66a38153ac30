//! Checks in constant evaluation, for what one attribute cannot see of another.

mod handler;
mod message;
mod mounts;

pub(super) use handler::check_built_in;
pub use handler::check_descriptor;
pub use mounts::{check_connect_captures, check_consumer_captures, check_mount, check_mounts};
