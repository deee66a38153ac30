//! Metrics: their values, and that a recorder cannot harm the endpoint.

use std::sync::Arc;
use std::time::Duration;

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_default_local_recorder,
};
use portcullis::testing::connect;
use portcullis::{Drain, OverflowPolicy};

use super::desk::{Clerk, Hall, Said, Secret, desk, open};
use super::recorder::Recording;

/// Does everything that the endpoint reports.
pub(crate) async fn exercise(recording: &Recording) {
    let _local = set_default_local_recorder(recording);
    let (endpoint, steps) = desk();
    let endpoint = endpoint.record_metrics().overflow_policy(OverflowPolicy::DropOldest);
    let drain = endpoint.drain_handle();
    assert!(connect(&endpoint).header("origin", "https://elsewhere.example").open().await.is_err());
    let mut client = open(&endpoint, "clerk").await;
    steps.resume(9);
    for action in ["ping", "guarded", "private", "fails", "block", "wait", "wait_detached"] {
        client.call(action).with("argument", "private").await;
    }
    client.call("open").route("drawers/private/").await;
    client.call("open").route("private/").await;
    client.call("count").with("to", 2).stream::<u32>().collect().await;
    client.call("join").with("hall", 1).await;
    client.call("say").with("hall", 1).await;
    client.event().await;
    endpoint.publisher().publish(&Hall(1), Secret);
    for number in 0..2000 {
        endpoint.publisher().publish(&Hall(1), Said(number));
    }
    drain.start(Drain::NOW);
    drain.finished().await;
}

#[tokio::test]
async fn metrics_have_the_values_of_what_has_happened() {
    let recording = Recording::default();
    exercise(&recording).await;
    let value = |name: &str, labels: &str| recording.get(name, labels).value;
    let near = |left: f64, right: f64| assert!((left - right).abs() < 1e-9, "{left} {right}");
    near(value("portcullis.server.active_connections", "consumer=Desk"), 0.0);
    near(value("portcullis.handshake.accepted", "consumer=Desk"), 1.0);
    near(value("portcullis.handshake.rejected", "consumer=Desk,status=403"), 1.0);
    near(value("portcullis.events.published", "consumer=Desk,event=said"), 2001.0);
    near(value("portcullis.events.published", "consumer=Desk,event=secret"), 1.0);
    near(value("portcullis.events.refused", "consumer=Desk"), 1.0);
    assert!(value("portcullis.events.delivered", "consumer=Desk") > 0.5);
    assert!(value("portcullis.events.dropped", "consumer=Desk") > 900.0);
    assert!(value("portcullis.server.queue_overflows", "consumer=Desk") > 900.0);
    for (action, route, status) in [
        ("ping", "", 200),
        ("guarded", "", 403),
        ("_OTHER", "", 405),
        ("fails", "", 500),
        ("block", "", 200),
        ("wait", "", 200),
        ("wait_detached", "", 200),
        ("count", "", 200),
        ("open", "drawers/{id}/", 200),
        ("_OTHER", "_OTHER", 404),
    ] {
        let labels = format!("consumer=Desk,action={action},route={route}");
        near(value("portcullis.action.active", &labels), 0.0);
        let durations = recording.get("portcullis.action.duration", &format!("{labels},status={status}")).observations;
        assert_eq!(durations.len(), 1, "{labels}");
        assert!((0.0..60.0).contains(&durations[0]), "{durations:?} are seconds");
    }
    let durations =
        recording.get("portcullis.server.connection.duration", "consumer=Desk,close_code=1012").observations;
    assert!(durations.len() == 1 && (0.0..60.0).contains(&durations[0]), "{durations:?}");
    let series = format!("{:?}", recording.series());
    assert!(!series.contains("private") && !series.contains("clerk"), "{series}");
}

#[tokio::test(start_paused = true)]
async fn gauges_and_durations_follow_an_action_that_waits() {
    let recording = Recording::default();
    let _local = set_default_local_recorder(&recording);
    let (endpoint, steps) = desk();
    let endpoint = endpoint.record_metrics();
    let mut client = open(&endpoint, "clerk").await;
    client.send(r#"{"action":"wait"}"#);
    steps.started(1).await;
    let active = "consumer=Desk,action=wait,route=";
    assert!(recording.get("portcullis.action.active", active).value > 0.5);
    assert!(recording.get("portcullis.server.active_connections", "consumer=Desk").value > 0.5);
    tokio::time::advance(Duration::from_millis(2500)).await;
    steps.resume(1);
    client.reply().await;
    assert!(recording.get("portcullis.action.active", active).value < 0.5);
    let durations = recording.get("portcullis.action.duration", &format!("{active},status=200")).observations;
    assert!((durations[0] - 2.5).abs() < 0.01, "{durations:?}");
}

#[tokio::test]
async fn announcement_of_presence_is_counted_as_a_publication() {
    let recording = Recording::default();
    let _local = set_default_local_recorder(&recording);
    let (endpoint, _) = desk();
    let endpoint = endpoint.record_metrics();
    let mut early = open(&endpoint, "early").await;
    early.call("relax").await;
    let mut late = open(&endpoint, "late").await;
    late.call("relax").await;
    // The announcements of a group follow each other: that of the first user is over.
    early.event().await;
    let published = endpoint.snapshot().events.published;
    assert!(published > 0);
    let value = recording.get("portcullis.events.published", "consumer=Desk,event=presence").value;
    assert!((value - f64::from(u32::try_from(published).unwrap())).abs() < 1e-9, "{value} {published}");
}

#[tokio::test]
async fn recorder_may_be_installed_after_the_endpoint_and_before_the_first_handshake() {
    let (endpoint, _) = desk();
    let endpoint = endpoint.record_metrics();
    let (publisher, handle) = (endpoint.publisher(), endpoint.snapshot_handle());
    let recording = Recording::default();
    let _local = set_default_local_recorder(&recording);
    // Counted, but not reported: no handshake has begun.
    publisher.publish(&Hall(1), Said(1));
    assert!(recording.series().is_empty());
    let mut client = connect(&endpoint).user(Clerk("clerk".to_owned())).open().await.unwrap();
    client.call("ping").await;
    let durations = "consumer=Desk,action=ping,route=,status=200";
    assert_eq!(recording.get("portcullis.action.duration", durations).observations.len(), 1);
    assert_eq!(handle.snapshot().events.published, 1);
}

/// Panics whenever something is recorded, or already when it is registered.
struct Panics {
    registers: bool,
}

struct PanickingHandle;

impl CounterFn for PanickingHandle {
    fn increment(&self, _: u64) {
        panic!("no memory")
    }

    fn absolute(&self, _: u64) {}
}

impl HistogramFn for PanickingHandle {
    fn record(&self, _: f64) {
        panic!("no memory")
    }
}

impl Recorder for Panics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        assert!(self.registers, "no series");
        Counter::from_arc(Arc::new(PanickingHandle))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(PanickingHandle))
    }
}

#[tokio::test]
async fn recorder_that_panics_is_counted_and_stops_nothing() {
    for registers in [true, false] {
        let recorder = Panics { registers };
        let _local = set_default_local_recorder(&recorder);
        let (endpoint, _) = desk();
        let endpoint = endpoint.record_metrics();
        let mut client = open(&endpoint, "clerk").await;
        for _ in 0..10 {
            assert_eq!(client.call("ping").await.status(), 200);
            assert_eq!(client.call("guarded").await.status(), 403);
        }
        client.call("join").with("hall", 1).await;
        endpoint.publisher().publish(&Hall(1), Said(1));
        client.event().await;
        let snapshot = endpoint.snapshot();
        assert_eq!(snapshot.observer.panicked, 0, "there is no observer");
        let panicked = snapshot.recorder.panicked;
        // Without handles, nothing is recorded.
        assert!(if registers { panicked > 20 } else { panicked == 1 }, "{panicked}");
        assert_eq!((snapshot.actions.succeeded, snapshot.actions.refused, snapshot.actions.in_progress), (11, 10, 0));
    }
}
