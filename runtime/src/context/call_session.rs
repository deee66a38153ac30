//! The session of a call, whose type only the layers above know.

use std::any::Any;

/// The session of a call. In `#[authenticate]`, the joins that are recorded for the new user.
pub(crate) trait CallSession: Any + Send + Sync {
    /// Returns the name of the session's consumer.
    fn consumer_name(&self) -> &'static str;
}
