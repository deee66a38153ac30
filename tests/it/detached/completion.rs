//! How detached actions end, alone and with their connection.

use std::time::Duration;

use portcullis::Limits;
use portcullis::testing::connect;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use super::{hall, hall_with, message, open};

#[tokio::test(start_paused = true)]
async fn detached_action_times_out_after_its_own_action_timeout() {
    let (state, hall) = hall_with(Limits { action_timeout: Duration::from_secs(10), ..Limits::default() });
    let mut client = open(&hall).await;
    let start = Instant::now();
    client.send(message("wait_detached", 1));
    state.started(1).await;
    sleep(Duration::from_secs(4)).await;
    client.send(message("wait_detached", 2));
    state.started(1).await;
    for (n, seconds) in [(1, 10), (2, 14)] {
        let reply = client.reply().await;
        assert_eq!((reply.status(), reply.code(), &reply.value()["request_id"]), (408, "timeout", &json!(n)));
        assert_eq!(start.elapsed(), Duration::from_secs(seconds));
    }
    assert_eq!(state.running(), 0, "timed out actions are dropped");
    // A permission that times out is an internal error.
    let reply = client.call("undecided").await;
    assert_eq!((reply.status(), reply.code()), (500, "internal_error"));
}

#[tokio::test(start_paused = true)]
async fn detached_stream_times_out_per_value() {
    let (state, hall) = hall_with(Limits { action_timeout: Duration::from_secs(10), ..Limits::default() });
    let mut client = open(&hall).await;
    client.send(r#"{"action":"stream","n":1,"count":5,"request_id":1}"#);
    for value in 0..2 {
        sleep(Duration::from_secs(9)).await;
        state.resume(1);
        assert_eq!(client.reply().await.value()["last"], false);
        if value == 0 {
            assert_eq!(client.event().await.data(), 3);
        }
    }
    let start = Instant::now();
    let reply = client.reply().await;
    assert_eq!((reply.status(), reply.value()["last"].as_bool()), (408, Some(true)));
    assert_eq!((start.elapsed(), state.running()), (Duration::from_secs(10), 0));
    client.expect_silence().await;
}

#[tokio::test]
async fn detached_blocking_action_times_out_with_408() {
    let (state, hall) = hall_with(Limits { action_timeout: Duration::from_millis(20), ..Limits::default() });
    let mut client = open(&hall).await;
    let mut called = 0;
    // An action that times out before a thread is free does not run at all.
    while state.started.available_permits() == 0 {
        let reply = client.call("run_blocking").with("n", 1).await;
        assert_eq!((reply.status(), reply.code()), (408, "timeout"));
        called += 1;
    }
    // It cannot be stopped, but its result is discarded.
    state.permits[1].add_permits(called);
    state.dropped.notified().await;
    assert_eq!(client.call("ping").await.data(), "pong");
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn detached_action_that_fails_is_answered_like_a_queued_one() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    client.send(message("wait_detached", 9));
    state.resume(20);
    let wanted = [
        ("panics", json!(20), 500, "internal_error"),
        ("fails", json!(20), 409, "conflict"),
        ("denied", json!(20), 403, "permission_denied"),
        ("wait_detached", json!("x"), 400, "invalid_argument"),
    ];
    for (action, n, status, code) in wanted {
        let reply = client.call(action).with("n", n).await;
        assert_eq!((reply.status(), reply.code()), (status, code), "{reply:?}");
        assert!(!reply.text().contains("secret"), "{reply:?}");
    }
    state.resume(9);
    assert_eq!(client.reply().await.data(), 9, "other detached actions are not affected");
}

#[tokio::test(start_paused = true)]
async fn detached_actions_end_before_the_disconnect_hook_runs() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    for n in 1..=4 {
        client.send(message("wait_detached", n));
    }
    client.send(r#"{"action":"endless"}"#);
    client.send(message("wait", 6));
    state.started(6).await;
    assert_eq!(state.running(), 6);
    drop(client);
    state.disconnected.notified().await;
    assert_eq!(*state.running_at_disconnect.lock().unwrap(), Some(0), "no action runs at the disconnect");
    assert_eq!(state.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn action_that_panics_on_drop_harms_no_other_connection() {
    for action in ["panic_on_drop", "panic_on_drop_queued"] {
        let (state, hall) = hall_with(Limits { action_timeout: Duration::from_secs(10), ..Limits::default() });
        let (mut client, mut other) = (open(&hall).await, open(&hall).await);
        client.send(message("wait_detached", 1));
        client.send(message(action, 2));
        state.started(2).await;
        drop(client);
        assert!(
            timeout(Duration::from_mins(1), state.disconnected.notified()).await.is_ok(),
            "{action}: the disconnect hook runs"
        );
        assert_eq!(*state.running_at_disconnect.lock().unwrap(), Some(0), "all actions have ended");
        assert_eq!(other.call("ping").await.data(), "pong");
    }
}

#[tokio::test(start_paused = true)]
async fn detached_actions_end_when_the_server_closes_the_connection() {
    let limits = Limits {
        max_frame_bytes: 100,
        ping_interval: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(25),
        send_timeout: Duration::from_secs(25),
        ..Limits::default()
    };
    let endings: [fn(&mut portcullis::testing::Client); 2] = [|client| client.send("x".repeat(101)), |_| {}];
    for (end, code) in endings.into_iter().zip([1009, 4508]) {
        let (state, hall) = hall_with(Limits { action_timeout: Duration::from_hours(1), ..limits.clone() });
        let mut client = connect(&hall).answer_pings(false).open().await.unwrap();
        client.send(message("wait_detached", 1));
        state.started(1).await;
        end(&mut client);
        assert_eq!(client.closed().await, code);
        assert_eq!(state.running(), 0);
        state.disconnected.notified().await;
        assert_eq!(*state.running_at_disconnect.lock().unwrap(), Some(0));
    }
}

#[tokio::test(start_paused = true)]
async fn silent_client_with_a_detached_action_is_pinged_and_closed() {
    let limits = Limits {
        ping_interval: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(35),
        send_timeout: Duration::from_secs(35),
        action_timeout: Duration::from_hours(1),
        ..Limits::default()
    };
    let (state, hall) = hall_with(limits);
    let mut client = connect(&hall).answer_pings(false).open().await.unwrap();
    client.send(message("wait_detached", 1));
    state.started(1).await;
    let start = Instant::now();
    // A message resets the idle timeout.
    sleep(Duration::from_secs(30)).await;
    assert_eq!(client.call("ping").await.data(), "pong");
    assert_eq!(client.closed().await, 4508);
    assert_eq!((start.elapsed().as_secs(), client.pings()), (65, 6));
    assert_eq!(state.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn detached_action_that_has_not_begun_does_not_run_after_the_end() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    client.send(message("wait", 1));
    for n in 2..=3 {
        client.send(message("wait_detached", n));
    }
    state.started(1).await;
    drop(client);
    state.resume(1);
    assert!(timeout(Duration::from_mins(1), state.disconnected.notified()).await.is_ok());
    assert_eq!((state.running(), state.started.available_permits()), (0, 0));
}
