//! The methods of [`Endpoint`] that observe it: observer, metrics and snapshots.

use super::endpoint::Endpoint;
use crate::consumer::Consumer;
use crate::observe::{Observer, Snapshot};
use crate::session::SnapshotHandle;

impl<C: Consumer> Endpoint<C> {
    /// Sets an observer of this endpoint and its clones, and starts its thread. Default: none. See [`Observer`], which has an
    /// example.
    ///
    /// # Panics
    ///
    /// Panics if there is an observer already, or if the operating system starts no thread.
    #[must_use]
    pub fn observe(self, observer: impl Observer) -> Self {
        if let Err(error) = self.registry.telemetry.set_observer(observer) {
            panic!("{error}");
        }
        self
    }

    /// Reports metrics to the recorder of the [`metrics`](https://docs.rs/metrics) facade. Default: none are reported.
    ///
    /// The recorder may be installed before or after this call, and must be installed before the first handshake: with that,
    /// all metrics are described and registered. The chapter on [observability](crate::guide::observability#metrics) lists
    /// them.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, consumer};
    /// # struct Chat;
    /// # #[consumer]
    /// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
    /// let chat = portcullis::websocket(Chat).record_metrics();
    /// ```
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn record_metrics(self) -> Self {
        self.registry.telemetry.record_metrics();
        self
    }

    /// Returns what this endpoint and its clones have done and do. Its cost does not depend on the number of connections.
    ///
    /// ```standalone_crate
    /// # use portcullis::{AllowAny, consumer};
    /// # struct Chat;
    /// # #[consumer]
    /// # impl Chat { #[action(permission = AllowAny)] async fn ping(&self) {} }
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use portcullis::testing::connect;
    ///
    /// let chat = portcullis::websocket(Chat);
    /// let mut client = connect(&chat).open().await.unwrap();
    /// client.call("ping").await;
    /// let snapshot = chat.snapshot();
    /// assert_eq!((snapshot.connections.open, snapshot.actions.succeeded), (1, 1));
    /// # }
    /// ```
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot_handle().snapshot()
    }

    /// Returns a handle that takes [snapshots](Endpoint::snapshot) once the endpoint is mounted.
    pub fn snapshot_handle(&self) -> SnapshotHandle {
        SnapshotHandle::new(self.registry.clone())
    }
}
