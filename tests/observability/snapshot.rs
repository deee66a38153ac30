//! Snapshots: what they count, and that the counts add up.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use portcullis::testing::connect;
use portcullis::{Drain, EndpointState, Snapshot};
use serde_json::Value;

use super::desk::{Clerk, desk, open};

/// Asserts that the counts of a snapshot add up while nothing happens.
#[track_caller]
fn assert_adds_up(snapshot: &Snapshot) {
    let (actions, connections) = (&snapshot.actions, &snapshot.connections);
    let finished = actions.succeeded + actions.refused + actions.timed_out + actions.failed + actions.cancelled;
    assert_eq!(actions.started, actions.in_progress + finished, "{snapshot:#?}");
    assert_eq!(snapshot.handshakes.accepted, connections.open + connections.ended, "{snapshot:#?}");
    assert_eq!(connections.open, connections.authenticated + connections.anonymous, "{snapshot:#?}");
    let closed: u64 = connections.closed.values().sum();
    assert_eq!(connections.ended, connections.ended_by_peer + connections.aborted + closed, "{snapshot:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_return_to_zero_after_load_and_add_up() {
    let (endpoint, steps) = desk();
    let drain = endpoint.drain_handle();
    steps.resume(10_000);
    let clients = (0_u32..24).map(|number| {
        let endpoint = endpoint.clone();
        tokio::spawn(async move {
            let mut client = open(&endpoint, &format!("user-{number}")).await;
            for round in 0..20 {
                let action = ["ping", "guarded", "fails", "wait", "block", "wait_detached", "join", "say", "nothing"]
                    [(round + number as usize) % 9];
                client.call(action).with("hall", number % 3).await;
                if round == 10 {
                    client.call("count").with("to", 2).stream::<u32>().collect().await;
                }
            }
            // Some leave in the middle of an action.
            client.send(r#"{"action":"hangs"}"#);
            if number % 3 == 0 {
                client.call("quit").await;
            } else if number % 3 == 1 {
                drop(client);
            } else {
                std::future::pending::<()>().await;
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let handle = endpoint.snapshot_handle();
    let watch = handle.clone();
    let watcher = tokio::spawn(async move {
        loop {
            let counts = watch.snapshot().actions;
            assert!(counts.in_progress <= 24 * 10, "{counts:?}");
            tokio::task::yield_now().await;
        }
    });
    let (ending, waiting): (Vec<_>, Vec<_>) = clients.into_iter().enumerate().partition(|(number, _)| number % 3 != 2);
    join_all(ending.into_iter().map(|(_, client)| client)).await.into_iter().for_each(Result::unwrap);
    drain.start(Drain { notice: Duration::ZERO, window: Duration::ZERO, ..Drain::default() });
    drain.finished().await;
    watcher.abort();
    for (_, client) in &waiting {
        client.abort();
    }
    let snapshot = handle.snapshot();
    assert_adds_up(&snapshot);
    let Snapshot { handshakes, connections, actions, groups, .. } = &snapshot;
    assert_eq!((connections.open, handshakes.in_progress, actions.in_progress), (0, 0, 0), "{snapshot:#?}");
    assert_eq!((actions.detached, actions.streams, groups.groups, groups.memberships), (0, 0, 0, 0), "{snapshot:#?}");
    assert_eq!((handshakes.accepted, connections.ended), (24, 24));
    assert!(actions.started > 24 * 20 && actions.refused > 0 && actions.failed > 0, "{actions:?}");
    assert_eq!(connections.closed.get(&4001), Some(&8), "{connections:?}");
    assert_eq!(snapshot.state, EndpointState::Draining);
}

#[tokio::test]
async fn snapshot_shows_what_is_in_progress() {
    let (endpoint, steps) = desk();
    let mut clerk = open(&endpoint, "clerk").await;
    let mut guest = connect(&endpoint).open().await.unwrap();
    guest.call("ping").await;
    clerk.send(r#"{"action":"wait_detached"}"#);
    steps.started(1).await;
    clerk.send(r#"{"action":"count","to":1}"#);
    steps.started(1).await;
    clerk.send(r#"{"action":"wait"}"#);
    steps.started(1).await;
    guest.call("join").with("hall", 1).await;
    guest.call("join").with("hall", 2).await;
    let snapshot = endpoint.snapshot();
    assert_adds_up(&snapshot);
    let (connections, actions) = (&snapshot.connections, &snapshot.actions);
    assert_eq!((connections.open, connections.authenticated, connections.anonymous), (2, 1, 1), "{connections:?}");
    assert_eq!((actions.in_progress, actions.detached, actions.streams), (3, 1, 1), "{actions:?}");
    assert_eq!((snapshot.groups.groups, snapshot.groups.memberships), (2, 2));
    guest.call("leave").with("hall", 2).await;
    guest.send(r#"{"action":"authenticate","name":"guest"}"#);
    guest.reply().await;
    steps.resume(3);
    for _ in 0..4 {
        clerk.reply().await;
    }
    let snapshot = endpoint.snapshot();
    assert_adds_up(&snapshot);
    assert_eq!((snapshot.actions.in_progress, snapshot.actions.detached, snapshot.actions.streams), (0, 0, 0));
    assert_eq!((snapshot.groups.groups, snapshot.groups.memberships), (1, 1));
    assert_eq!((snapshot.connections.authenticated, snapshot.connections.anonymous), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn each_action_is_counted_once_by_its_outcome() {
    let (endpoint, _) = desk();
    let mut client = open(&endpoint, "clerk").await;
    for action in ["ping", "guarded", "no-such-action", "fails", "panics", "hangs", "block"] {
        client.call(action).await;
    }
    client.call("ping").route("no/such/route").await;
    client.send(r#"{"action":"silent"}"#);
    client.send("no JSON");
    client.reply().await;
    client.send(r#"{"action":"authenticate","name":"another user"}"#);
    client.reply().await;
    let actions = endpoint.snapshot().actions;
    assert_eq!((actions.started, actions.in_progress), (11, 0), "{actions:?}");
    // `ping`, `block` and `silent`; then `guarded`, two names that do not exist, no JSON, another user.
    assert_eq!((actions.succeeded, actions.refused), (3, 5), "{actions:?}");
    assert_eq!((actions.failed, actions.timed_out, actions.cancelled), (2, 1, 0), "{actions:?}");
}

#[tokio::test(start_paused = true)]
async fn action_whose_connection_ends_counts_as_cancelled_or_by_its_own_end() {
    let (endpoint, steps) = desk();
    let drain = endpoint.drain_handle();
    let mut client = open(&endpoint, "clerk").await;
    client.send(r#"{"action":"count","to":3}"#);
    steps.started(1).await;
    drop(client);
    let mut waiting = open(&endpoint, "clerk").await;
    waiting.send(r#"{"action":"wait"}"#);
    steps.started(1).await;
    drain.start(Drain::NOW);
    drain.finished().await;
    let snapshot = endpoint.snapshot();
    assert_adds_up(&snapshot);
    assert_eq!((snapshot.actions.started, snapshot.actions.cancelled), (2, 2), "{snapshot:#?}");
    assert_eq!(snapshot.connections.closed, BTreeMap::from([(1012, 1)]), "{snapshot:#?}");
    assert_eq!(snapshot.connections.ended_by_peer, 1);
}

#[tokio::test(start_paused = true)]
async fn state_follows_the_drain_and_rejections_are_counted_by_status() {
    let (endpoint, _) = desk();
    let (drain, handle) = (endpoint.drain_handle(), endpoint.snapshot_handle());
    assert_eq!(handle.snapshot().state, EndpointState::Ready);
    let foreign = connect(&endpoint).header("origin", "https://elsewhere.example").open().await;
    assert_eq!(foreign.unwrap_err().status(), 403);
    drain.start(Drain { notice: Duration::from_secs(5), ..Drain::default() });
    assert_eq!(handle.snapshot().state, EndpointState::Notice);
    assert!(connect(&endpoint).open().await.is_ok());
    drain.finished().await;
    assert_eq!(handle.snapshot().state, EndpointState::Draining);
    assert_eq!(connect(&endpoint).open().await.unwrap_err().status(), 503);
    let snapshot = handle.snapshot();
    assert_eq!(snapshot.handshakes.rejected, BTreeMap::from([(403, 1), (503, 1)]));
    assert_adds_up(&snapshot);
}

#[tokio::test]
async fn grant_loads_are_counted_with_those_that_fail() {
    let (endpoint, _) = desk();
    for name in ["clerk", "ungranted"] {
        let mut client = connect(&endpoint).user(Clerk(name.to_owned())).open().await.unwrap();
        client.call("granted").await;
    }
    let loads = endpoint.snapshot().grant_loads;
    assert_eq!((loads.user_loads, loads.object_loads, loads.failed_loads), (2, 0, 1));
}

#[tokio::test]
async fn snapshot_is_serialized_with_the_names_of_its_fields() {
    let (endpoint, _) = desk();
    let json: Value = serde_json::to_value(endpoint.snapshot()).unwrap();
    assert_eq!((json["consumer"].as_str(), json["state"].as_str()), (Some("Desk"), Some("ready")));
    assert_eq!(json["connections"]["open"], 0);
    assert_eq!(json["events"]["published"], 0);
}
