//! Side effects of detached actions: ordered around their own reply, as for queued actions.

use portcullis::Limits;
use serde_json::{Value, json};

use super::{Everyone, Room, Said, hall, hall_with, message, open};

async fn next(client: &mut portcullis::testing::Client) -> Value {
    client.reply().await.value().clone()
}

#[tokio::test(start_paused = true)]
async fn side_effects_of_a_detached_action_surround_its_reply() {
    for action in ["moves", "moves_in_order"] {
        let (state, hall) = hall();
        let (mut client, mut other) = (open(&hall).await, open(&hall).await);
        let publisher = hall.publisher();
        client.send(message(action, 1));
        state.started(1).await;
        publisher.publish(&Everyone, Said(10));
        publisher.publish(&Room, Said(11));
        assert_eq!(next(&mut client).await["data"], 10, "no side effect yet");
        assert_eq!(next(&mut other).await["data"], 10);
        state.resume(1);
        assert_eq!(next(&mut client).await["request_id"], 1, "the reply comes first");
        assert_eq!(next(&mut client).await, json!({"event": "said", "data": 2}), "it has left the first group");
        assert_eq!(next(&mut other).await["data"], 1);
        publisher.publish(&Everyone, Said(12));
        publisher.publish(&Room, Said(13));
        assert_eq!(next(&mut client).await["data"], 13);
        assert_eq!(next(&mut other).await["data"], 12);
    }
}

#[tokio::test(start_paused = true)]
async fn side_effects_of_a_failed_detached_action_are_discarded() {
    let (state, hall) = hall();
    let (mut client, mut other) = (open(&hall).await, open(&hall).await);
    client.send(message("moves_and_fails", 1));
    state.resume(1);
    let reply = next(&mut client).await;
    assert_eq!((&reply["status"], &reply["errors"][0]["code"]), (&json!(409), &json!("conflict")));
    hall.publisher().publish(&Room, Said(10));
    hall.publisher().publish(&Everyone, Said(11));
    assert_eq!(next(&mut client).await["data"], 11);
    assert_eq!(next(&mut other).await["data"], 11);
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn events_before_a_detached_leave_precede_its_reply() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    client.send(message("moves", 1));
    state.started(1).await;
    // The connection observes all of it at once.
    state.resume(1);
    for data in 10..15 {
        hall.publisher().publish(&Everyone, Said(data));
    }
    for data in 10..15 {
        assert_eq!(next(&mut client).await["data"], data);
    }
    assert_eq!(
        (next(&mut client).await["request_id"].clone(), next(&mut client).await["data"].clone()),
        (json!(1), json!(2))
    );
}

#[tokio::test(start_paused = true)]
async fn detached_subscriptions_begin_with_their_replies_under_their_own_ids() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    for n in [1, 2] {
        client.send(message("subscribes", n));
    }
    state.started(2).await;
    let publisher = hall.publisher();
    publisher.publish(&Room, Said(1));
    state.resume(2);
    assert_eq!(next(&mut client).await["request_id"], 2);
    publisher.publish(&Room, Said(2));
    assert_eq!(next(&mut client).await, json!({"event": "said", "data": 2, "request_ids": [2]}));
    state.resume(1);
    assert_eq!(next(&mut client).await["request_id"], 1);
    publisher.publish(&Room, Said(3));
    assert_eq!(next(&mut client).await["request_ids"], json!([2, 1]));
}

#[tokio::test(start_paused = true)]
async fn detached_streams_are_interleaved_with_each_other_and_with_queued_actions() {
    let (state, hall) = hall();
    let (mut client, mut other) = (open(&hall).await, open(&hall).await);
    for n in [1, 2] {
        client.send(format!(r#"{{"action":"stream","n":{n},"count":2,"request_id":{n}}}"#));
    }
    client.send(message("wait", 3));
    state.started(3).await;
    // The request id, the value, and whether it is the last reply.
    for (n, data, last) in [(1, 1, false), (2, 1, false), (2, 2, false), (1, 2, false)] {
        state.resume(n);
        let reply = next(&mut client).await;
        let actual = (reply["request_id"].clone(), reply["data"].clone(), reply["last"].clone());
        assert_eq!(actual, (json!(n), json!(data), json!(last)));
        if data == 1 {
            let event = json!({"event": "said", "data": 3});
            assert_eq!(next(&mut client).await, event, "side effects follow the first reply");
            assert_eq!(next(&mut other).await, event);
        }
        client.send(r#"{"action":"ping","request_id":"p"}"#);
    }
    client.expect_silence().await;
    state.resume(3);
    assert_eq!(next(&mut client).await["request_id"], 3);
    for _ in 0..4 {
        assert_eq!(next(&mut client).await["request_id"], "p");
    }
    other.expect_silence().await;
    for n in [2, 1] {
        state.resume(n);
        let reply = next(&mut client).await;
        assert_eq!((&reply["request_id"], &reply["data"], &reply["last"]), (&json!(n), &Value::Null, &json!(true)));
    }
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn stream_in_the_queue_delays_later_messages() {
    let (state, hall) = hall();
    let mut client = open(&hall).await;
    client.send(r#"{"action":"stream_in_order","n":1,"count":1,"request_id":1}"#);
    client.send(r#"{"action":"ping","request_id":2}"#);
    state.resume(1);
    assert_eq!(next(&mut client).await["last"], false);
    assert_eq!(next(&mut client).await["data"], 3, "events are sent between the values");
    client.expect_silence().await;
    state.resume(1);
    assert_eq!(next(&mut client).await["last"], true);
    assert_eq!(next(&mut client).await["request_id"], 2);
}

#[tokio::test(start_paused = true)]
async fn detached_action_with_no_reply_ends_silently_and_frees_its_slot() {
    let (state, hall) = hall_with(Limits { max_detached_actions: 1, ..Limits::default() });
    let mut client = open(&hall).await;
    for n in 1..=3 {
        client.send(message("quiet", n));
        state.resume(n);
        client.expect_silence().await;
        assert_eq!(state.running(), 0, "its slot is free");
    }
}
