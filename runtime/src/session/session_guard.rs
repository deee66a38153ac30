//! What must happen when a connection's task ends, however it ends.

use std::sync::Arc;

use super::session::Session;
use crate::consumer::Consumer;

/// Counts a connection as open. When it is dropped, removes the session from the registry and from its groups.
pub(crate) struct SessionGuard<C: Consumer> {
    session: Arc<Session<C>>,
    has_left_registry: bool,
    /// Whether an action or a hook of the connection was dropped because of a drain.
    is_cut: bool,
}

impl<C: Consumer> SessionGuard<C> {
    /// Admits a connection whose handshake is accepted. Returns `None` if the endpoint is drained meanwhile.
    pub(crate) fn admit(session: Arc<Session<C>>) -> Option<SessionGuard<C>> {
        let is_admitted = session.registry.drain.admit();
        is_admitted.then(|| SessionGuard { session, has_left_registry: false, is_cut: false })
    }

    pub(crate) fn session(&self) -> &Arc<Session<C>> {
        &self.session
    }

    /// Removes the session from the registry and from its groups. The connection still counts as open.
    pub(crate) fn leave_registry(&mut self) {
        if !std::mem::replace(&mut self.has_left_registry, true) {
            self.session.leave_registry();
        }
    }

    /// Sets whether an action or a hook of the connection was dropped because of a drain.
    pub(crate) fn set_cut(&mut self, is_cut: bool) {
        self.is_cut = is_cut;
    }
}

impl<C: Consumer> Drop for SessionGuard<C> {
    fn drop(&mut self) {
        self.leave_registry();
        self.session.registry.drain.release(self.is_cut);
    }
}
