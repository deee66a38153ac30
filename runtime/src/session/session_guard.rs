//! What must happen when a connection's task ends, however it ends.

use std::sync::Arc;

use tokio::time::Instant;

use super::session::Session;
use crate::consumer::Consumer;
use crate::context::DisconnectReason;

/// Keeps the session of a connection in the registry, and counts the connection as open. When it is dropped, the
/// session leaves the registry and its groups.
pub(crate) struct SessionGuard<C: Consumer> {
    /// `None` if the session has left.
    session: Option<Arc<Session<C>>>,
    accepted_at: Instant,
}

/// Counts a connection as open whose session has left the registry.
pub(crate) struct EndedSession<C: Consumer> {
    session: Arc<Session<C>>,
    accepted_at: Instant,
    /// Why the connection has ended. `None` if its task was dropped before.
    pub(crate) reason: Option<DisconnectReason>,
    /// Whether an action or a hook of the connection was dropped because of a drain.
    pub(crate) is_cut: bool,
}

impl<C: Consumer> SessionGuard<C> {
    /// Admits a connection whose handshake is accepted. Returns `None` if the endpoint is drained meanwhile.
    pub(crate) fn admit(session: Arc<Session<C>>) -> Option<SessionGuard<C>> {
        session.registry.drain.admit().then(|| {
            session.registry.telemetry.record_connection(session.id);
            SessionGuard { session: Some(session), accepted_at: Instant::now() }
        })
    }

    /// Removes the session from the registry and from its groups. The connection counts as open until the returned
    /// value is dropped. It is `None` if the session has left before.
    pub(crate) fn leave_registry(&mut self) -> Option<EndedSession<C>> {
        let session = self.session.take()?;
        session.leave_registry();
        Some(EndedSession { session, accepted_at: self.accepted_at, reason: None, is_cut: false })
    }
}

impl<C: Consumer> Drop for SessionGuard<C> {
    fn drop(&mut self) {
        drop(self.leave_registry());
    }
}

impl<C: Consumer> Drop for EndedSession<C> {
    fn drop(&mut self) {
        let Session { registry, id, .. } = &*self.session;
        // First, so that it is counted when the drain finishes.
        registry.telemetry.record_disconnect(*id, self.reason, self.accepted_at);
        registry.drain.release(self.is_cut);
    }
}
