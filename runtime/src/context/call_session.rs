//! The session of a call, whose type only the layers above know.

use std::any::Any;

use super::ActionRates;

/// The session of a call. In `#[authenticate]`, the joins that are recorded for the new user.
pub(crate) trait CallSession: Any + Send + Sync {
    /// Returns the name of the session's consumer.
    fn consumer_name(&self) -> &'static str;

    /// Returns the limiters of the endpoint's actions, or `None` if the session calls no actions.
    fn action_rates(&self) -> Option<&ActionRates>;
}
