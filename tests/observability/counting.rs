//! What counts as what, at the edges.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use metrics::set_default_local_recorder;
use portcullis::testing::connect;
use portcullis::{
    Disconnect, Drain, Limits, Permission, PermissionContext, Rate, Result, Snapshot, SnapshotHandle, Streamed,
    consumer, websocket,
};
use tokio::sync::Semaphore;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

use super::capture::{self, lines};
use super::desk::{Clerk, desk, open};
use super::recorder::Recording;
use crate::common::log_capture::keep_enabled;

struct Vault {
    is_open: Arc<AtomicBool>,
    snapshots: Arc<OnceLock<SnapshotHandle>>,
    /// What `#[disconnect]` has seen.
    seen: Arc<OnceLock<Snapshot>>,
    disconnected: Arc<Semaphore>,
    /// Lets the stream of `watch` go on.
    resumed: Arc<Semaphore>,
}

struct IsOpen;

impl Permission<Vault> for IsOpen {
    async fn has_permission(&self, vault: &Vault, _: &PermissionContext<'_, Clerk>) -> Result<bool> {
        Ok(vault.is_open.load(Ordering::SeqCst))
    }
}

#[consumer(user = Clerk)]
impl Vault {
    #[disconnect]
    async fn disconnect(&self, _: &Disconnect<'_, Clerk>) {
        if let Some(snapshots) = self.snapshots.get() {
            self.seen.set(snapshots.snapshot()).unwrap();
        }
        self.disconnected.add_permits(1);
    }

    #[action(permission = IsOpen)]
    async fn watch(&self) -> Streamed<impl Stream<Item = u32> + use<>> {
        let resumed = self.resumed.clone();
        let second = async move {
            drop(resumed.acquire().await);
            2
        };
        Streamed(stream::iter([1]).chain(stream::once(second)))
    }
}

fn vault() -> Vault {
    let (is_open, disconnected) = (Arc::new(AtomicBool::new(true)), Arc::new(Semaphore::new(0)));
    Vault {
        is_open,
        snapshots: Arc::default(),
        seen: Arc::default(),
        disconnected,
        resumed: Arc::new(Semaphore::new(0)),
    }
}

#[tokio::test]
async fn stream_that_a_change_of_rights_ends_counts_as_refused() {
    let vault = vault();
    let (is_open, resumed) = (vault.is_open.clone(), vault.resumed.clone());
    let endpoint = websocket(vault);
    let connections = endpoint.connections();
    let mut client = connect(&endpoint).user(Clerk("ada".to_owned())).open().await.unwrap();
    client.send(r#"{"action":"watch"}"#);
    client.reply().await;
    is_open.store(false, Ordering::SeqCst);
    assert!(connections.refresh_all().await.is_acknowledged());
    resumed.add_permits(1);
    assert_eq!(client.reply().await.status(), 403);
    let actions = endpoint.snapshot().actions;
    assert_eq!((actions.refused, actions.cancelled, actions.in_progress), (1, 0, 0), "{actions:?}");
}

#[tokio::test]
async fn action_that_is_cancelled_while_its_body_runs_counts_as_cancelled() {
    let (endpoint, steps) = desk();
    let endpoint = endpoint.allow_cancel();
    let mut client = open(&endpoint, "clerk").await;
    client.send(r#"{"action":"wait_detached","request_id":1}"#);
    steps.started(1).await;
    client.send(r#"{"action":"cancel","target":1}"#);
    assert_eq!(client.reply().await.status(), 204);
    steps.resume(1);
    assert_eq!(client.reply().await.status(), 499);
    let actions = endpoint.snapshot().actions;
    assert_eq!((actions.succeeded, actions.cancelled, actions.in_progress), (0, 1, 0), "{actions:?}");
}

#[tokio::test(start_paused = true)]
async fn message_above_the_rate_of_its_connection_is_counted_and_is_no_action() {
    let recording = Recording::default();
    let _local = set_default_local_recorder(&recording);
    let limits = Limits { messages_per_connection: Some(Rate::per_hour(1).burst(3)), ..Limits::default() };
    let endpoint = desk().0.limits(limits).record_metrics();
    let mut client = open(&endpoint, "clerk").await;
    for expected in [200, 200, 200, 429, 429] {
        assert_eq!(client.call("ping").await.status(), expected);
    }
    // It has a limit of its own.
    client.send(r#"{"action":"authenticate","name":"clerk"}"#);
    assert_eq!(client.reply().await.status(), 204);
    let snapshot = endpoint.snapshot();
    assert_eq!((snapshot.messages.refused, snapshot.actions.started), (2, 4), "{snapshot:#?}");
    let value = recording.get("portcullis.message.refused", "consumer=Desk").value;
    assert!((value - 2.0).abs() < 1e-9, "{value}");
}

#[tokio::test]
async fn connection_is_authenticated_until_it_has_ended() {
    let vault = vault();
    let (snapshots, seen, disconnected) = (vault.snapshots.clone(), vault.seen.clone(), vault.disconnected.clone());
    let endpoint = websocket(vault);
    snapshots.set(endpoint.snapshot_handle()).unwrap();
    let client = connect(&endpoint).user(Clerk("ada".to_owned())).open().await.unwrap();
    drop(client);
    drop(disconnected.acquire().await.unwrap());
    let connections = &seen.get().unwrap().connections;
    assert_eq!((connections.open, connections.authenticated, connections.anonymous), (1, 1, 0), "{connections:?}");
}

#[tokio::test]
async fn gauges_do_not_fall_below_zero_if_metrics_are_recorded_late() {
    let recording = Recording::default();
    let _local = set_default_local_recorder(&recording);
    let (endpoint, steps) = desk();
    let drain = endpoint.drain_handle();
    let mut early = open(&endpoint, "early").await;
    early.send(r#"{"action":"wait"}"#);
    steps.started(1).await;
    let endpoint = endpoint.record_metrics();
    let _late = open(&endpoint, "late").await;
    steps.resume(1);
    early.reply().await;
    early.call("quit").await;
    assert_eq!(early.closed().await, 4001);
    drain.start(Drain::NOW);
    drain.finished().await;
    for (name, labels) in [
        ("portcullis.server.active_connections", "consumer=Desk"),
        ("portcullis.action.active", "consumer=Desk,action=wait,route="),
    ] {
        let value = recording.get(name, labels).value;
        assert!(value.abs() < 1e-9, "{name}: {value}");
    }
}

#[tokio::test]
async fn handshake_that_the_client_abandons_is_counted() {
    let recording = Recording::default();
    let _local = set_default_local_recorder(&recording);
    let (endpoint, _) = desk();
    let never = |_: &http::request::Parts| std::future::pending::<Result<Option<Clerk>>>();
    let endpoint = endpoint.record_metrics().authenticate(never);
    let mut opening = Box::pin(connect(&endpoint).open());
    assert!((&mut opening).now_or_never().is_none());
    assert_eq!(endpoint.snapshot().handshakes.in_progress, 1);
    drop(opening);
    let handshakes = endpoint.snapshot().handshakes;
    assert_eq!((handshakes.in_progress, handshakes.abandoned, handshakes.accepted), (0, 1, 0), "{handshakes:?}");
    assert!(recording.get("portcullis.handshake.abandoned", "consumer=Desk").value > 0.5);
}

#[tokio::test]
async fn user_is_in_the_log_once_however_often_the_client_authenticates() {
    capture::start();
    let (endpoint, _) = desk();
    let limits = Limits { max_authenticate_per_minute: 1000, ..Limits::default() };
    let mut client = connect(&endpoint.limits(limits)).open().await.unwrap();
    for _ in 0..100 {
        client.send(r#"{"action":"authenticate","name":"counting-renewed"}"#);
        assert_eq!(client.reply().await.status(), 204);
    }
    client.call("ping").await;
    let found = lines(&["counting-renewed", "inside ping"]);
    assert_eq!(found.iter().map(|line| line.matches("user=").count()).collect::<Vec<_>>(), [1], "{found:#?}");
}

#[tokio::test]
async fn filter_by_the_name_of_a_span_enables_it() {
    keep_enabled();
    let recorded = Arc::new(AtomicBool::new(false));
    let seen = recorded.clone();
    let filter = filter_fn(|metadata| metadata.is_span() && metadata.name() == "portcullis.action");
    let layer = OnNewSpan(seen);
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(filter).with(layer));
    let (endpoint, _) = desk();
    open(&endpoint, "clerk").await.call("ping").await;
    assert!(recorded.load(Ordering::SeqCst));
}

struct OnNewSpan(Arc<AtomicBool>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for OnNewSpan {
    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        _: &tracing::span::Id,
        _: tracing_subscriber::layer::Context<'_, S>,
    ) {
        assert_eq!(attributes.metadata().name(), "portcullis.action");
        self.0.store(true, Ordering::SeqCst);
    }
}
