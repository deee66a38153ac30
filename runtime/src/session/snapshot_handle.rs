//! Snapshots of an endpoint: the public handle [`SnapshotHandle`].

use std::fmt;
use std::sync::Arc;

use super::drain_state::DrainPhase;
use super::session::SessionRegistry;
use crate::consumer::Consumer;
use crate::observe::{ClusterCounts, EndpointState, GrantLoads, Snapshot};

/// A handle that takes snapshots of an endpoint, for a health route or a dashboard.
///
/// Returned by [`Endpoint::snapshot_handle`](crate::Endpoint::snapshot_handle). Cloning returns another handle.
///
/// The chapter on [operations](crate::guide::operations#health) has a health route that answers with one.
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
            let (user_loads, object_loads, failed_loads) = cache.loads();
            loads.user_loads += user_loads;
            loads.object_loads += object_loads;
            loads.failed_loads += failed_loads;
        }
        self.telemetry.snapshot(state, open, loads, self.node.get().map(|node| ClusterCounts::of(node)))
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
