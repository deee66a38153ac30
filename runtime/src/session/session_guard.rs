//! What must happen when a connection's task ends, however it ends.

use std::sync::Arc;

use tokio::time::Instant;

use super::session::Session;
use crate::consumer::Consumer;
use crate::context::DisconnectReason;
use crate::panic::catch_unwind;

/// Keeps the session of a connection in the registry, and counts the connection as open. When it is dropped, the
/// session leaves the registry and its groups.
pub(crate) struct SessionGuard<C: Consumer> {
    /// `None` if the session has left.
    session: Option<Arc<Session<C>>>,
    accepted_at: Instant,
    /// Whether the gauge of open connections has counted it.
    is_metered: bool,
}

/// Counts a connection as open whose session has left the registry.
pub(crate) struct EndedSession<C: Consumer> {
    session: Arc<Session<C>>,
    accepted_at: Instant,
    is_metered: bool,
    /// Whether the connection counts as authenticated.
    is_authenticated: bool,
    /// Why the connection has ended. `None` if its task was dropped before.
    reason: Option<DisconnectReason>,
    /// Whether an action or a hook of the connection was dropped because of a drain.
    pub(crate) is_cut: bool,
}

impl<C: Consumer> SessionGuard<C> {
    /// Admits a connection whose handshake is accepted. Returns `None` if the endpoint is drained meanwhile.
    pub(crate) fn admit(session: Arc<Session<C>>) -> Option<SessionGuard<C>> {
        session.registry.drain.admit().then(|| {
            let (telemetry, id) = (session.registry.telemetry.clone(), session.id);
            // Before anything is reported, so that the drain is released whatever that does.
            let mut guard = SessionGuard { session: Some(session), accepted_at: Instant::now(), is_metered: false };
            guard.is_metered = telemetry.record_connection(id);
            guard
        })
    }

    /// Removes the session from the registry and from its groups. The connection counts as open until the returned
    /// value is dropped. It is `None` if the session has left before. `reason` is why the connection has ended.
    pub(crate) fn leave_registry(&mut self, reason: Option<DisconnectReason>) -> Option<EndedSession<C>> {
        let SessionGuard { accepted_at, is_metered, .. } = *self;
        let session = self.session.take()?;
        let mut ended =
            EndedSession { session, accepted_at, is_metered, is_authenticated: false, reason, is_cut: false };
        ended.is_authenticated = ended.session.leave_registry();
        Some(ended)
    }
}

impl<C: Consumer> Drop for SessionGuard<C> {
    fn drop(&mut self) {
        drop(self.leave_registry(None));
    }
}

impl<C: Consumer> Drop for EndedSession<C> {
    fn drop(&mut self) {
        let Session { registry, id, .. } = &*self.session;
        if self.is_authenticated {
            registry.telemetry.authenticated.decrement();
        }
        // First, so that it is counted when the drain finishes. Contained, so that the drain is released in any case.
        let report = || registry.telemetry.record_disconnect(*id, self.reason, self.accepted_at, self.is_metered);
        drop(catch_unwind(report));
        registry.drain.release(self.is_cut);
    }
}
