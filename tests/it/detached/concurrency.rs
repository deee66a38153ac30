//! Concurrency of detached actions: no other message is delayed, and one over the limit is refused.

use portcullis::Limits;
use serde_json::json;

use super::{hall, hall_with, message, open, reply_ids};

#[tokio::test(start_paused = true)]
async fn message_after_a_detached_action_is_answered_first() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    for n in [10, 11] {
        client.send(message("wait_detached", n));
    }
    for _ in 0..3 {
        client.send(r#"{"action":"ping","request_id":12}"#);
    }
    assert_eq!(reply_ids(&mut client, 3).await, [12, 12, 12]);
    client.expect_silence().await;
    for n in [11, 10] {
        state.resume(n);
        assert_eq!(reply_ids(&mut client, 1).await, [n as u64]);
    }
}

#[tokio::test(start_paused = true)]
async fn detached_replies_out_of_order_carry_their_own_request_ids() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    for n in 1..=6 {
        client.send(message("wait_detached", n));
    }
    state.started(6).await;
    client.expect_silence().await;
    for n in [4, 1, 6, 5, 2, 3] {
        state.resume(n);
        let reply = client.reply().await;
        assert_eq!(
            reply.value(),
            &json!({
                "errors": [], "data": n, "action": "wait_detached", "route": "", "status": 200, "request_id": n,
            })
        );
    }
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn detached_action_that_does_not_wait_is_answered() {
    let (_, hall) = hall();
    let mut client = open(&hall).await;
    for action in ["at_once", "at_once_and_sync"] {
        client.send(message(action, 1));
        assert_eq!(reply_ids(&mut client, 1).await, [1]);
    }
}

#[tokio::test(start_paused = true)]
async fn detached_action_over_the_limit_is_answered_with_429() {
    let (state, hall) = hall_with(Limits { max_detached_actions: 2, ..Limits::default() });
    let mut client = open(&hall).await;
    for n in 1..=2 {
        client.send(message("wait_detached", n));
    }
    for action in ["wait_detached", "run_blocking", "at_once_and_sync"] {
        client.send(message(action, 3));
        assert_eq!(
            client.reply().await.value(),
            &json!({
                "errors": [{
                    "code": "too_many_actions",
                    "detail": "Too many actions of this connection run at the same time.",
                }],
                "data": null, "action": action, "route": "", "status": 429, "request_id": 3,
            })
        );
    }
    assert_eq!(state.running(), 2, "none of them has begun");
    state.resume(1);
    assert_eq!(reply_ids(&mut client, 1).await, [1]);
    client.send(message("wait_detached", 4));
    for n in [4, 2] {
        state.resume(n);
        assert_eq!(reply_ids(&mut client, 1).await, [n as u64], "a slot is free after its reply");
    }
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn detached_action_over_the_limit_delays_no_message() {
    let (state, hall) = hall_with(Limits { max_detached_actions: 1, ..Limits::default() });
    let mut client = open(&hall).await;
    client.send(message("wait_detached", 1));
    state.started(1).await;
    for n in 2..=50 {
        client.send(message("wait_detached", n));
    }
    client.send(message("wait", 51));
    for _ in 2..=50 {
        assert_eq!(client.reply().await.status(), 429);
    }
    state.resume(51);
    assert_eq!(reply_ids(&mut client, 1).await, [51]);
}

#[tokio::test(start_paused = true)]
async fn refusal_of_a_detached_action_does_not_depend_on_the_limit() {
    let (state, hall) = hall_with(Limits { max_detached_actions: 1, ..Limits::default() });
    let mut client = open(&hall).await;
    for is_full in [false, true] {
        if is_full {
            client.send(message("wait_detached", 1));
            state.started(1).await;
        }
        let reply = client.call("denied").await;
        assert_eq!((reply.status(), reply.code()), (403, "permission_denied"), "{is_full}: {reply:?}");
        let reply = client.call("undecided").await;
        assert_eq!((reply.status(), reply.code()), (500, "internal_error"), "{is_full}: {reply:?}");
        state.resume(1);
    }
}

#[tokio::test(start_paused = true)]
async fn detached_actions_with_a_limit_of_zero_are_off() {
    let (state, hall) = hall_with(Limits { max_detached_actions: 0, ..Limits::default() });
    let mut client = open(&hall).await;
    assert_eq!(client.call("wait_detached").with("n", 1).await.code(), "too_many_actions");
    assert_eq!((state.running(), client.call("ping").await.status()), (0, 200));
}

#[tokio::test(start_paused = true)]
async fn detached_limit_is_eight_by_default() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    for n in 1..=12 {
        client.send(message("wait_detached", n));
    }
    for n in 9..=12 {
        let reply = client.reply().await;
        assert_eq!((reply.status(), &reply.value()["request_id"]), (429, &json!(n)));
    }
    state.started(8).await;
    assert_eq!(state.running(), 8);
}

#[tokio::test(start_paused = true)]
async fn detached_action_that_ends_during_a_queued_one_is_answered_at_once() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    client.send(message("wait_detached", 1));
    client.send(message("wait", 2));
    client.send(message("wait", 3));
    state.started(2).await;
    state.resume(1);
    assert_eq!(reply_ids(&mut client, 1).await, [1]);
    state.resume(3);
    client.expect_silence().await;
    state.resume(2);
    assert_eq!(reply_ids(&mut client, 2).await, [2, 3]);
}

#[tokio::test]
async fn detached_action_is_not_starved_by_a_message_flood() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    client.send(message("wait_detached", 1));
    state.started(1).await;
    for _ in 0..20_000 {
        client.send(r#"{"action":"ping"}"#);
    }
    state.resume(1);
    let mut before = 0;
    while client.reply().await.value()["action"] != "wait_detached" {
        before += 1;
    }
    assert!(before < 2000, "{before} of those that came later were answered first");
}

#[tokio::test]
async fn endless_detached_stream_starves_no_other_action() {
    let (state, hall) = hall();
    let (mut client, mut other) = (open(&hall).await, open(&hall).await);
    for _ in 0..3 {
        client.send(r#"{"action":"endless"}"#);
    }
    client.send(message("wait_detached", 1));
    state.resume(1);
    client.send(r#"{"action":"ping","request_id":2}"#);
    let (mut values, mut seen) = (0, Vec::new());
    while seen.len() < 2 {
        let reply = client.reply().await;
        match reply.value()["request_id"].as_u64() {
            Some(id) => seen.push(id),
            None => values += 1,
        }
        assert!(values < 1000, "only {seen:?} of the others came");
    }
    assert_eq!(other.call("ping").await.data(), "pong", "other connections are not starved");
    drop(client);
    for _ in 0..3 {
        state.dropped.notified().await;
        if state.running() == 0 {
            break;
        }
    }
    assert_eq!(state.running(), 0);
}

#[tokio::test]
async fn detached_blocking_actions_run_concurrently() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    for n in 11..=13 {
        client.send(message("run_blocking", n));
    }
    state.started(3).await;
    assert_eq!(client.call("ping").await.data(), "pong");
    for n in [12, 13, 11] {
        state.resume(n);
        assert_eq!(reply_ids(&mut client, 1).await, [n as u64]);
    }
    let reply = client.call("panic_blocking").await;
    assert!(reply.status() == 500 && !reply.text().contains("secret"), "{reply:?}");
}
