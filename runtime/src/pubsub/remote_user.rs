//! A user that is connected to another machine, as the application has loaded it here: [`RemoteUser`].

use std::sync::atomic::{AtomicBool, Ordering};

use crate::panic::Contained;

/// A user of another machine. It is hidden unless it is loaded, and once its rights may have changed.
pub(super) struct RemoteUser<U> {
    user: Option<Contained<U>>,
    is_stale: AtomicBool,
    /// Whether it was hidden from a viewer because it is stale.
    was_hidden: AtomicBool,
}

impl<U> RemoteUser<U> {
    /// Creates a user; `None` if it is not loaded.
    pub(super) fn new(user: Option<U>) -> RemoteUser<U> {
        let user = user.map(Contained::new);
        RemoteUser { user, is_stale: AtomicBool::new(false), was_hidden: AtomicBool::new(false) }
    }

    /// Hides the user from now on: its rights may have changed.
    pub(super) fn invalidate(&self) {
        self.is_stale.store(true, Ordering::SeqCst);
    }

    /// Returns the user. `None` if it is hidden.
    pub(super) fn current(&self) -> Option<&U> {
        let user = self.former()?;
        if self.is_stale.load(Ordering::SeqCst) {
            self.was_hidden.store(true, Ordering::SeqCst);
            return None;
        }
        Some(user)
    }

    /// Returns the user, also if it is stale: viewers may have seen it by this value.
    pub(super) fn former(&self) -> Option<&U> {
        self.user.as_deref()
    }

    /// Returns whether [`current`](RemoteUser::current) has hidden the user because it is stale.
    pub(super) fn was_hidden(&self) -> bool {
        self.was_hidden.load(Ordering::SeqCst)
    }
}
