//! What runs when its connection is closed: actions have until the deadline, streams end, and `#[disconnect]` runs.

use std::time::Duration;

use portcullis::Drain;
use tokio::time::{Instant, sleep};

use super::{AT_ONCE, DRAIN, figures, harbour, message, open, open_with_role};

#[tokio::test]
async fn action_that_runs_ends_after_the_close_and_nothing_else_begins() {
    for action in ["wait", "wait_detached", "wait_blocking"] {
        let (state, harbour) = harbour();
        let mut client = open(&harbour, 1).await;
        client.send(message(action, "first"));
        state.started(1).await;
        if action != "wait_detached" {
            client.send(message("note", "second"));
        }
        let drain = harbour.drain_handle();
        drain.start(AT_ONCE);
        assert_eq!(client.closed().await, 1012, "{action}: the close does not wait for the action");
        client.send(message("note", "third"));
        drop(client);
        state.resume(1);
        assert_eq!(figures(drain.finished().await), [1, 1, 0], "{action}");
        assert_eq!(state.log(), ["first begins", "first ends", "disconnected: 1012, left Some(1)"], "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn action_over_the_deadline_is_cut_and_counted() {
    for action in ["wait", "wait_detached"] {
        let (state, harbour) = harbour();
        let mut clients = Vec::new();
        for id in 0..4 {
            clients.push(open(&harbour, id).await);
        }
        clients[0].send(message(action, "first"));
        state.started(1).await;
        let (drain, start) = (harbour.drain_handle(), Instant::now());
        drain.start(DRAIN);
        assert_eq!(figures(drain.finished().await), [4, 3, 1], "{action}");
        // The connection whose client does not go away ends with its closing handshake, two seconds later at most.
        assert_eq!(start.elapsed().as_secs(), 25, "{action}");
        let log = state.log();
        assert_eq!(log[..1], ["first begins"]);
        assert_eq!(log[4..], ["first is dropped", "disconnected: 1012, left Some(0)"], "{action}: {log:?}");
    }
}

#[tokio::test]
async fn blocking_action_over_the_deadline_is_not_waited_for() {
    let (state, harbour) = harbour();
    let mut client = open(&harbour, 1).await;
    client.send(message("wait_blocking", "first"));
    state.started(1).await;
    let drain = harbour.drain_handle();
    drain.start(Drain::NOW);
    assert_eq!(client.closed().await, 1012);
    drop(client);
    assert_eq!(figures(drain.finished().await), [1, 0, 1]);
    // It occupies its thread until then.
    state.resume(1);
}

#[tokio::test(start_paused = true)]
async fn action_of_a_client_that_has_left_is_cut_and_its_messages_do_not_begin() {
    let (state, harbour) = harbour();
    let mut client = open(&harbour, 1).await;
    client.send(message("wait", "first"));
    client.send(message("wait", "second"));
    state.started(1).await;
    drop(client);
    let drain = harbour.drain_handle();
    drain.start(DRAIN);
    sleep(Duration::from_secs(7)).await;
    // The second would begin now.
    state.resume(1);
    assert_eq!(figures(drain.finished().await), [1, 1, 0]);
    assert_eq!(state.log(), ["first begins", "first ends", "disconnected: peer gone, left Some(1)"]);
}

#[tokio::test(start_paused = true)]
async fn last_message_of_a_client_that_has_left_is_cut_at_the_deadline() {
    let (state, harbour) = harbour();
    let mut client = open(&harbour, 1).await;
    client.send(message("wait", "first"));
    client.send(message("wait", "second"));
    state.started(1).await;
    drop(client);
    sleep(Duration::from_millis(1)).await;
    state.resume(1);
    state.started(1).await;
    let drain = harbour.drain_handle();
    drain.start(DRAIN);
    assert_eq!(figures(drain.finished().await), [1, 0, 1]);
    let log = ["first begins", "first ends", "second begins", "second is dropped"];
    assert_eq!(state.log()[..4], log);
    assert_eq!(state.log()[4..], ["disconnected: peer gone, left Some(1)"]);
}

#[tokio::test(start_paused = true)]
async fn stream_ends_with_its_connection() {
    for action in ["values", "values_detached"] {
        let (state, harbour) = harbour();
        let mut client = open(&harbour, 1).await;
        client.send(message(action, ""));
        state.started(1).await;
        assert_eq!(client.reply().await.data(), 1);
        let (drain, start) = (harbour.drain_handle(), Instant::now());
        drain.start(AT_ONCE);
        assert_eq!(client.closed().await, 1012, "{action}");
        assert_eq!(figures(drain.finished().await), [1, 1, 0], "{action}");
        assert!(start.elapsed() < Duration::from_secs(3), "{action}");
        assert_eq!(state.log(), ["disconnected: 1012, left Some(1)"], "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn disconnect_hook_is_cut_two_seconds_after_the_deadline() {
    let (state, harbour) = harbour();
    let _slow = open_with_role(&harbour, 1, "slow to leave").await;
    let _client = open(&harbour, 2).await;
    let (drain, start) = (harbour.drain_handle(), Instant::now());
    drain.start(DRAIN);
    assert_eq!(figures(drain.finished().await), [2, 1, 1]);
    assert_eq!(start.elapsed().as_secs(), 27);
    assert_eq!(state.counts()[2], 2);
    assert_eq!(state.log().last().unwrap(), "disconnect is dropped");
}

#[tokio::test(start_paused = true)]
async fn hook_of_a_cut_connection_runs() {
    let (state, harbour) = harbour();
    let mut client = open(&harbour, 1).await;
    client.send(message("wait", "first"));
    client.send(message("wait_detached", "second"));
    state.started(1).await;
    let drain = harbour.drain_handle();
    drain.start(Drain::NOW);
    assert_eq!(client.closed().await, 1012);
    assert_eq!(figures(drain.finished().await), [1, 0, 1]);
    assert_eq!(state.log(), ["first begins", "first is dropped", "disconnected: 1012, left Some(1)"]);
}
