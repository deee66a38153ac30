//! Observers: what they are told, and that none of them can harm the endpoint.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use portcullis::testing::connect;
use portcullis::{
    ActionFinished, ActionOutcome, ActionStarted, ConnectionClosed, ConnectionOpened, DisconnectReason, Drain,
    EventPublished, HandshakeRejected, Limits, Observer, OverflowPolicy, QueueOverflowed,
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::desk::{Hall, Said, Secret, desk, open};

/// Longer than any test takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Sends what it is told to the test, as text.
struct Teller(UnboundedSender<String>);

impl Observer for Teller {
    fn connection_opened(&mut self, observation: &ConnectionOpened) {
        self.tell(format!("{} opened", observation.consumer));
    }

    fn handshake_rejected(&mut self, observation: &HandshakeRejected) {
        self.tell(format!("rejected {}", observation.status.as_u16()));
    }

    fn action_started(&mut self, observation: &ActionStarted) {
        self.tell(format!("{} at `{}` started", observation.action, observation.route));
    }

    fn action_finished(&mut self, observation: &ActionFinished) {
        assert!(observation.duration < PATIENCE);
        let ActionFinished { action, route, status, outcome, .. } = observation;
        self.tell(format!("{action} at `{route}` finished: {} {outcome:?}", status.as_u16()));
    }

    fn event_published(&mut self, observation: &EventPublished) {
        self.tell(format!(
            "{} published to {}, {} refused",
            observation.event, observation.receivers, observation.refused
        ));
    }

    fn queue_overflowed(&mut self, observation: &QueueOverflowed) {
        self.tell(format!("overflow: {} dropped, closed {}", observation.dropped, observation.is_closed));
    }

    fn connection_closed(&mut self, observation: &ConnectionClosed) {
        let reason = match observation.reason {
            Some(DisconnectReason::Closed { code, .. }) => code.to_string(),
            reason => format!("{reason:?}"),
        };
        self.tell(format!("closed: {reason}"));
    }
}

impl Teller {
    fn tell(&self, text: String) {
        // The test may have ended.
        let _ = self.0.send(text);
    }
}

/// Returns what the observer is told next.
async fn next(told: &mut UnboundedReceiver<String>) -> String {
    timeout(PATIENCE, told.recv()).await.expect("the observer is told nothing").unwrap()
}

async fn expect(told: &mut UnboundedReceiver<String>, texts: &[&str]) {
    for text in texts {
        assert_eq!(next(told).await, *text);
    }
}

#[tokio::test]
async fn observer_is_told_what_happens_in_order() {
    let (teller, mut told) = unbounded_channel();
    let (endpoint, steps) = desk();
    let endpoint = endpoint.observe(Teller(teller));
    assert!(connect(&endpoint).header("origin", "https://elsewhere.example").open().await.is_err());
    expect(&mut told, &["rejected 403"]).await;
    let mut client = open(&endpoint, "clerk").await;
    client.call("ping").await;
    expect(&mut told, &["Desk opened", "ping at `` started", "ping at `` finished: 200 Succeeded"]).await;
    client.call("open").route("drawers/private/").await;
    expect(&mut told, &["open at `drawers/{id}/` started", "open at `drawers/{id}/` finished: 200 Succeeded"]).await;
    client.call("private").route("private").await;
    expect(&mut told, &["_OTHER at `_OTHER` started", "_OTHER at `_OTHER` finished: 404 Refused"]).await;
    client.send(r#"{"action":"wait"}"#);
    steps.started(1).await;
    expect(&mut told, &["wait at `` started"]).await;
    assert!(told.try_recv().is_err(), "it has not finished");
    steps.resume(3);
    client.reply().await;
    expect(&mut told, &["wait at `` finished: 200 Succeeded"]).await;
    client.call("count").with("to", 1).stream::<u32>().collect().await;
    expect(&mut told, &["count at `` started", "count at `` finished: 200 Succeeded"]).await;
    client.call("wait_detached").await;
    expect(&mut told, &["wait_detached at `` started", "wait_detached at `` finished: 200 Succeeded"]).await;
    client.call("join").with("hall", 1).await;
    expect(&mut told, &["join at `` started", "join at `` finished: 200 Succeeded"]).await;
    endpoint.publisher().publish(&Hall(1), Said(5));
    endpoint.publisher().publish(&Hall(1), Secret);
    endpoint.publisher().publish(&Hall(2), Said(5));
    expect(
        &mut told,
        &["said published to 1, 0 refused", "secret published to 1, 1 refused", "said published to 0, 0 refused"],
    )
    .await;
    client.event().await;
    client.call("quit").await;
    assert_eq!(client.closed().await, 4001);
    expect(&mut told, &["quit at `` started", "quit at `` finished: 200 Succeeded", "closed: 4001"]).await;
}

#[tokio::test]
async fn overflow_is_observed_under_both_policies() {
    for (policy, wanted) in [
        (OverflowPolicy::DropOldest, "overflow: 1 dropped, closed false"),
        (OverflowPolicy::Close, "overflow: 0 dropped, closed true"),
    ] {
        let (teller, mut told) = unbounded_channel();
        let (endpoint, _) = desk();
        let endpoint = endpoint.limits(Limits { max_queued_events: 2, ..Limits::default() });
        let endpoint = endpoint.overflow_policy(policy).observe(Teller(teller));
        let mut client = open(&endpoint, "clerk").await;
        client.call("join").with("hall", 1).await;
        // A reader that has had no chance to run gets four times the limit.
        for number in 0..9 {
            endpoint.publisher().publish(&Hall(1), Said(number));
        }
        let overflow = loop {
            let text = next(&mut told).await;
            if text.starts_with("overflow") {
                break text;
            }
        };
        assert_eq!(overflow, wanted);
    }
}

/// Panics after each action, and tells the end of a connection.
struct Panics(UnboundedSender<String>);

impl Observer for Panics {
    fn action_finished(&mut self, _: &ActionFinished) {
        panic!("no disk")
    }

    fn connection_closed(&mut self, _: &ConnectionClosed) {
        let _ = self.0.send("closed".to_owned());
    }
}

#[tokio::test]
async fn observer_that_panics_is_counted_and_stops_nothing() {
    let (teller, mut told) = unbounded_channel();
    let (endpoint, _) = desk();
    let endpoint = endpoint.observe(Panics(teller));
    let (drain, handle) = (endpoint.drain_handle(), endpoint.snapshot_handle());
    let mut client = open(&endpoint, "clerk").await;
    for _ in 0..100 {
        assert_eq!(client.call("ping").await.status(), 200);
        assert_eq!(client.call("guarded").await.status(), 403);
    }
    drain.start(Drain::NOW);
    drain.finished().await;
    assert_eq!(next(&mut told).await, "closed");
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.observer.panicked, snapshot.recorder.panicked), (200, 0));
}

/// Blocks until the test ends.
struct Blocks(Receiver<()>);

impl Observer for Blocks {
    fn action_started(&mut self, _: &ActionStarted) {
        let _ = self.0.recv();
    }
}

#[tokio::test]
async fn observer_that_hangs_delays_nothing_and_what_it_misses_is_counted() {
    let (end, ended) = channel();
    let (endpoint, _) = desk();
    let endpoint = endpoint.observe(Blocks(ended));
    let mut client = open(&endpoint, "clerk").await;
    for _ in 0..1000 {
        assert_eq!(client.call("ping").await.status(), 200);
        assert_eq!(client.call("guarded").await.status(), 403);
    }
    assert_eq!(endpoint.snapshot().observer.dropped, 0, "all of these fit into the queue");
    for _ in 0..8000 {
        client.send(r#"{"action":"silent"}"#);
    }
    assert_eq!(client.call("ping").await.status(), 200);
    let snapshot = endpoint.snapshot();
    assert_eq!((snapshot.actions.started, snapshot.actions.in_progress), (10_001, 0));
    assert!(snapshot.observer.dropped > 1000, "{:?}", snapshot.observer);
    drop(end);
}

/// Tells the test when it is dropped, and the name of its thread.
struct Ends(UnboundedSender<String>);

impl Observer for Ends {}

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.send(std::thread::current().name().unwrap_or_default().to_owned());
    }
}

#[tokio::test]
async fn thread_of_the_observer_ends_with_the_endpoint() {
    let (teller, mut told) = unbounded_channel();
    let (endpoint, _) = desk();
    let endpoint = endpoint.observe(Ends(teller));
    let (drain, handle) = (endpoint.drain_handle(), endpoint.snapshot_handle());
    let client = open(&endpoint, "clerk").await;
    drain.start(Drain::NOW);
    drain.finished().await;
    drop((client, endpoint, drain));
    assert!(told.try_recv().is_err(), "a handle is left");
    drop(handle);
    // The task of the drain holds one until it is polled.
    tokio::task::yield_now().await;
    assert_eq!(next(&mut told).await, "portcullis-observer");
}

struct Idle;

impl Observer for Idle {}

#[test]
#[should_panic(expected = "has an observer already")]
fn second_observer_is_refused() {
    let (endpoint, _) = desk();
    let _ = endpoint.observe(Idle).observe(Idle);
}

#[tokio::test]
async fn outcome_follows_from_the_status() {
    let (teller, mut told) = unbounded_channel();
    let (endpoint, _) = desk();
    let endpoint = endpoint.observe(Teller(teller));
    let mut client = open(&endpoint, "clerk").await;
    for (action, outcome) in [
        ("guarded", ActionOutcome::Refused),
        ("fails", ActionOutcome::Failed),
        ("panics", ActionOutcome::Failed),
        ("hangs", ActionOutcome::TimedOut),
        ("silent", ActionOutcome::Succeeded),
    ] {
        client.send(format!("{{\"action\":{action:?}}}"));
        client.call("ping").await;
        let finished = loop {
            let text = next(&mut told).await;
            if text.starts_with(action) && text.contains("finished") {
                break text;
            }
        };
        assert!(finished.ends_with(&format!("{outcome:?}")), "{action}: {finished}");
    }
}
