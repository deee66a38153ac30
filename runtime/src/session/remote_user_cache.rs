//! The users of other machines, as far as changes of rights concern them: [`RemoteUserCache`].

use std::any::Any;

/// The users of other machines that the application has loaded. Implemented in `pubsub/remote_users.rs`.
pub(crate) trait RemoteUserCache: Any + Send + Sync {
    /// Hides a user until it is loaded again.
    fn forget_user(&self, user_id: &str);
    /// Hides all users until they are loaded again.
    fn forget_all(&self);
}
