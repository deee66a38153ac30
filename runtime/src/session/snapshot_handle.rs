//! Snapshots of an endpoint: the public handle [`SnapshotHandle`].

use std::fmt;
use std::sync::Arc;

use super::drain_state::DrainPhase;
use super::session::SessionRegistry;
use crate::consumer::Consumer;
use crate::observe::{EndpointState, GrantLoads, Snapshot};

/// A handle that takes snapshots of an endpoint, for a health route or a dashboard.
///
/// Returned by [`Endpoint::snapshot_handle`](crate::Endpoint::snapshot_handle). Cloning returns another handle.
///
/// # Examples
///
/// A route that answers with the snapshot as JSON, and with 503 unless the endpoint is ready:
///
/// ```standalone_crate
/// use axum::Router;
/// use axum::routing::get;
/// use portcullis::{AllowAny, EndpointState, StatusCode, consumer, websocket};
///
/// struct Chat;
///
/// #[consumer]
/// impl Chat {
///     #[action(permission = AllowAny)]
///     async fn ping(&self) {}
/// }
///
/// let chat = websocket(Chat);
/// let handle = chat.snapshot_handle();
/// let health = async move || {
///     let snapshot = handle.snapshot();
///     let is_ready = snapshot.state == EndpointState::Ready;
///     let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
///     (status, [("content-type", "application/json")], serde_json::to_string(&snapshot).unwrap_or_default())
/// };
/// let app: Router = Router::new().route("/ws", chat.into_route()).route("/health", get(health));
/// ```
#[derive(Clone)]
pub struct SnapshotHandle {
    target: Arc<dyn SnapshotTarget>,
}

/// The registry of an endpoint, independent of its consumer.
trait SnapshotTarget: Send + Sync {
    fn snapshot(&self) -> Snapshot;
}

impl<C: Consumer> SnapshotTarget for SessionRegistry<C> {
    fn snapshot(&self) -> Snapshot {
        let (phase, open) = self.drain.progress();
        let state = match phase {
            DrainPhase::Serving => EndpointState::Ready,
            DrainPhase::Notice => EndpointState::Notice,
            DrainPhase::Closing | DrainPhase::CuttingActions | DrainPhase::CuttingConnections => {
                EndpointState::Draining
            }
        };
        let mut loads = GrantLoads::default();
        for cache in self.grant_caches() {
            let (users, objects, failed) = cache.loads();
            loads.users += users;
            loads.objects += objects;
            loads.failed += failed;
        }
        self.telemetry.snapshot(state, open, loads)
    }
}

impl SnapshotHandle {
    pub(crate) fn new<C: Consumer>(registry: Arc<SessionRegistry<C>>) -> SnapshotHandle {
        SnapshotHandle { target: registry }
    }

    /// Returns what the endpoint and its clones have done and do, see [`Snapshot`].
    pub fn snapshot(&self) -> Snapshot {
        self.target.snapshot()
    }
}

impl fmt::Debug for SnapshotHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SnapshotHandle").field(&self.snapshot()).finish()
    }
}
