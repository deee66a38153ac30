//! What must happen when a connection's task ends, however it ends.

use std::sync::Arc;

use super::session::Session;
use crate::consumer::Consumer;

/// Keeps the session of a connection in the registry, and counts the connection as open. When it is dropped, the
/// session leaves the registry and its groups.
pub(crate) struct SessionGuard<C: Consumer>(
    /// `None` if the session has left.
    Option<Arc<Session<C>>>,
);

/// Counts a connection as open whose session has left the registry.
pub(crate) struct EndedSession<C: Consumer> {
    session: Arc<Session<C>>,
    /// Whether an action or a hook of the connection was dropped because of a drain.
    pub(crate) is_cut: bool,
}

impl<C: Consumer> SessionGuard<C> {
    /// Admits a connection whose handshake is accepted. Returns `None` if the endpoint is drained meanwhile.
    pub(crate) fn admit(session: Arc<Session<C>>) -> Option<SessionGuard<C>> {
        session.registry.drain.admit().then(|| SessionGuard(Some(session)))
    }

    /// Removes the session from the registry and from its groups. The connection counts as open until the returned
    /// value is dropped. It is `None` if the session has left before.
    pub(crate) fn leave_registry(&mut self) -> Option<EndedSession<C>> {
        let session = self.0.take()?;
        session.leave_registry();
        Some(EndedSession { session, is_cut: false })
    }
}

impl<C: Consumer> Drop for SessionGuard<C> {
    fn drop(&mut self) {
        drop(self.leave_registry());
    }
}

impl<C: Consumer> Drop for EndedSession<C> {
    fn drop(&mut self) {
        self.session.registry.drain.release(self.is_cut);
    }
}
