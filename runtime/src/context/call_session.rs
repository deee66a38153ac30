//! The session of a call, whose type only the layers above know.

use std::any::Any;

/// The session of a call, or what stands for it in `#[authenticate]`.
pub(crate) trait CallSession: Any + Send + Sync {
    /// Returns the name of the session's consumer.
    fn consumer_name(&self) -> &'static str;
}
