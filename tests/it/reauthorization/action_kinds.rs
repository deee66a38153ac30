//! Reauthorization of every kind of action: its reply if the right is kept, and 403 if it is revoked.

use std::sync::atomic::Ordering;

use portcullis::testing::Client;
use portcullis::{GrantSet, Overwrites, UserGrants};
use serde_json::{Value, json};

use super::handlers::{Lobby, Room, Said};
use super::state::{LeafResult, State};
use super::{Fixture, assert_alive, call, desk, fixture, uploads};

/// A message and the leaves on its route.
const ACTIONS: [(&str, &[&str]); 3] = [
    (r#"{"action":"wait"}"#, &["desk", "own"]),
    (r#"{"action":"wait","route":"rooms/5/"}"#, &["desk", "mount", "rooms", "room_action"]),
    (
        r#"{"action":"wait","route":"rooms/5/shelves/top/"}"#,
        &["desk", "mount", "rooms", "shelf_mount", "shelf", "place", "shelf_action"],
    ),
];

fn assert_denied(reply: &Value, action: &str) {
    assert_eq!((&reply["status"], &reply["errors"][0]["code"]), (&json!(403), &json!("rights_changed")), "{action}");
    assert_eq!(reply["data"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn every_level_of_the_route_is_reauthorized() {
    for (message, leaves) in ACTIONS {
        let fixture = fixture();
        let mut client = fixture.open(1).await;
        let reply = fixture.reply_after(&mut client, message, |_| {}).await;
        assert!(matches!(reply.status(), 200 | 201), "the right is kept: {reply:?}");
        assert_eq!(fixture.take_runs(), 1, "a denied action does not run");
        for leaf in leaves {
            let reply = fixture.reply_after(&mut client, message, |state| state.set(leaf, LeafResult::No)).await;
            assert_denied(reply.value(), leaf);
            assert_eq!(fixture.take_runs(), 1, "{leaf}");
            fixture.state.results.lock().unwrap().clear();
            assert_alive(&mut client).await;
        }
        // Leaves outside the route are not evaluated.
        let reply = fixture.reply_after(&mut client, message, |state| state.set("elsewhere", LeafResult::No)).await;
        assert!(matches!(reply.status(), 200 | 201), "{reply:?}");
    }
}

/// Real time: a blocking action needs a running clock.
#[tokio::test]
async fn detached_and_blocking_actions_are_reauthorized() {
    for action in ["wait_detached", "block", "block_detached"] {
        let fixture = fixture();
        let mut client = fixture.open(1).await;
        let reply = fixture.reply_after(&mut client, &call(action), |_| {}).await;
        assert_eq!((reply.status(), reply.data(), fixture.take_runs()), (200, &json!(1), 1), "{action}");
        let reply = fixture.reply_after(&mut client, &call(action), |state| state.set("own", LeafResult::No)).await;
        assert_denied(reply.value(), action);
        assert_eq!((&reply.value()["request_id"], &reply.value()["action"]), (&json!("it"), &json!(action)));
        assert_eq!(fixture.take_runs(), 1);
        assert_alive(&mut client).await;
    }
}

/// The permissions of a blocking action may block their thread in every evaluation.
#[tokio::test]
async fn blocking_action_is_reauthorized_on_its_own_thread() {
    for action in ["block_in_permission", "block_in_permission_detached"] {
        let fixture = fixture();
        let mut client = fixture.open(1).await;
        let reply = fixture.reply_after(&mut client, &call(action), |_| {}).await;
        assert_eq!((reply.status(), reply.data()), (200, &json!(1)), "{action}");
        let reply = fixture.reply_after(&mut client, &call(action), |state| state.set("own", LeafResult::No)).await;
        assert_denied(reply.value(), action);
    }
}

#[tokio::test(start_paused = true)]
async fn grants_are_loaded_again_for_reauthorization() {
    let fixture = fixture();
    let may: UserGrants = GrantSet::from([desk::work, uploads::read]).into();
    fixture.state.grant(1, may.clone());
    let mut client = fixture.open(1).await;
    for message in [r#"{"action":"work"}"#, r#"{"action":"list","channel":4}"#] {
        let reply = fixture.reply_after(&mut client, message, |_| {}).await;
        assert_eq!((reply.status(), fixture.take_runs()), (200, 1), "{message}");
        let reply = fixture.reply_after(&mut client, message, |state| state.grant(1, UserGrants::default())).await;
        assert_denied(reply.value(), message);
        fixture.state.grant(1, may.clone());
        assert!(fixture.connections.refresh_user("1").revalidated().await.is_acknowledged());
        fixture.take_runs();
    }
    assert_eq!(fixture.state.loaded.lock().unwrap().len(), 6, "once, and once after each change");
}

#[tokio::test(start_paused = true)]
async fn object_overwrites_are_loaded_again_for_reauthorization() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    let overwrite = |channel: &str, overwrites: Overwrites| {
        fixture.state.overwrites.lock().unwrap().insert(channel.to_owned(), overwrites);
    };
    overwrite("4", Overwrites::new().allow_member("1", uploads::read));
    let key = |id: u32| portcullis::ObjectKey::new("channel", id);
    for (object, status) in [(5, 200), (4, 403)] {
        client.send(r#"{"action":"list","channel":4}"#);
        fixture.state.started.notified().await;
        overwrite(&object.to_string(), Overwrites::new());
        assert!(fixture.connections.refresh_object(&key(object)).revalidated().await.is_acknowledged());
        fixture.state.resume();
        assert_eq!(client.reply().await.status(), status, "{object}");
    }
}

#[tokio::test(start_paused = true)]
async fn objects_are_loaded_and_authorized_again() {
    let fixture = fixture();
    fixture.state.notes.lock().unwrap().insert(7, 1);
    let mut client = fixture.open(1).await;
    let message = r#"{"action":"open","note":7}"#;
    let reply = fixture.reply_after(&mut client, message, |_| {}).await;
    assert_eq!((reply.status(), reply.data()), (200, &json!(7)));
    assert_eq!((fixture.take_runs(), fixture.state.note_loads.swap(0, Ordering::SeqCst)), (1, 2));
    let taken: [fn(&State); 2] =
        [|state| state.notes.lock().unwrap().extend([(7, 2)]), |state| state.notes.lock().unwrap().clear()];
    for change in taken {
        let reply = fixture.reply_after(&mut client, message, change).await;
        assert_denied(reply.value(), "the object is loaded again");
        fixture.state.notes.lock().unwrap().insert(7, 1);
    }
    assert_alive(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn error_of_an_action_is_reauthorized() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    let reply = fixture.reply_after(&mut client, &call("fail"), |_| {}).await;
    assert_eq!((reply.status(), reply.code()), (409, "conflict"));
    let reply = fixture.reply_after(&mut client, &call("fail"), |state| state.set("own", LeafResult::No)).await;
    assert_denied(reply.value(), "the error is for permitted callers");
    assert_alive(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn no_reply_action_without_right_is_denied_and_publishes() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    fixture.change_during(&mut client, &call("quietly_say"), |_| {}).await;
    assert_eq!(client.reply().await.value(), &json!({"event": "said", "data": 1}));
    client.expect_silence().await;
    for action in ["quietly_say", "quiet", "quiet_detached"] {
        fixture.state.results.lock().unwrap().clear();
        let reply = fixture.reply_after(&mut client, &call(action), |state| state.set("own", LeafResult::No)).await;
        assert_denied(reply.value(), action);
        if action == "quietly_say" {
            assert_eq!(client.reply().await.data(), 1, "others must not miss what it has stored");
        }
        assert_alive(&mut client).await;
    }
    fixture.state.results.lock().unwrap().clear();
    for action in ["quiet", "quiet_detached"] {
        fixture.change_during(&mut client, &call(action), |_| {}).await;
        assert_alive(&mut client).await;
    }
}

async fn events(client: &mut Client, fixture: &Fixture) -> Vec<Value> {
    let publisher = fixture.desk.publisher();
    publisher.publish(&Lobby, Said(10));
    publisher.publish(&Room, Said(11));
    publisher.publish_to_user("1", Said(12));
    let mut events = Vec::new();
    loop {
        events.push(client.reply().await.value().clone());
        if events.last().is_some_and(|last| last["data"] == 12) {
            return events;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn joins_of_a_denied_action_are_discarded_and_its_publications_go_out() {
    for action in ["act", "act_detached"] {
        let fixture = fixture();
        let (mut client, mut other) = (fixture.open(1).await, fixture.open(2).await);
        let message = format!(r#"{{"action":"{action}","request_id":3}}"#);
        let reply = fixture.reply_after(&mut client, &message, |state| state.set("own", LeafResult::No)).await;
        assert_denied(reply.value(), action);
        let wanted = [1, 10, 12].map(|data| json!({"event": "said", "data": data}));
        assert_eq!(events(&mut client, &fixture).await, wanted, "{action}: memberships are unchanged");
        for data in [1, 2, 10] {
            assert_eq!(other.reply().await.data(), data, "{action}");
        }
        other.expect_silence().await;
        // All side effects happen if the right is kept.
        fixture.state.results.lock().unwrap().clear();
        let reply = fixture.reply_after(&mut client, &message, |_| {}).await;
        assert_eq!(reply.status(), 200, "{reply:?}");
        let wanted = [json!({"event": "said", "data": 11, "request_ids": [3]}), json!({"event": "said", "data": 12})];
        assert_eq!(events(&mut client, &fixture).await, wanted, "{action}");
        for data in [1, 2] {
            assert_eq!(other.reply().await.data(), data, "{action}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unsubscribe_of_a_denied_action_has_no_effect() {
    let fixture = fixture();
    let mut client = fixture.open(1).await;
    fixture.state.resume();
    client.send(r#"{"action":"act","request_id":3}"#);
    assert_eq!(client.reply().await.status(), 200);
    fixture.state.started.notified().await;
    for (results, wanted) in [(Some(LeafResult::No), 403), (None, 200)] {
        let change = |state: &State| results.into_iter().for_each(|results| state.set("own", results));
        let reply = fixture.reply_after(&mut client, r#"{"action":"unsubscribe","id":3}"#, change).await;
        assert_eq!(reply.status(), wanted, "{reply:?}");
        fixture.state.results.lock().unwrap().clear();
        fixture.desk.publisher().publish(&Room, Said(4));
        if wanted == 403 {
            assert_eq!(client.reply().await.value()["request_ids"], json!([3]));
        }
    }
    // It has joined too, so events arrive without an id.
    assert_eq!(client.reply().await.value(), &json!({"event": "said", "data": 4}));
}

/// Streams three values and the last reply, one per permit, and changes rights while reply `at` waits.
async fn assert_stream(action: &str, at: u32, takes: bool) {
    let fixture = fixture();
    let (mut client, mut other) = (fixture.open(1).await, fixture.open(2).await);
    client.send(format!(r#"{{"action":"{action}","count":3,"request_id":[]}}"#));
    for value in 1..=4 {
        fixture.state.started.notified().await;
        if value == at {
            if takes {
                fixture.state.set("own", LeafResult::No);
            }
            assert!(fixture.connections.refresh_user("1").revalidated().await.is_acknowledged());
        }
        fixture.state.resume();
        let reply = client.reply().await;
        let told = format!("{action}, {at}, {takes}: {reply:?}");
        assert_eq!(reply.value()["request_id"], json!([]), "{told}");
        if takes && value == at {
            assert_denied(reply.value(), &told);
            assert_eq!(reply.value()["last"], true, "{told}");
            if value == 1 {
                // What it has published goes out.
                assert_eq!((client.event().await.data(), other.event().await.data()), (&json!(3), &json!(3)), "{told}");
            }
            // If the stream continued, its next value would arrive now.
            fixture.state.resume();
            return assert_alive(&mut client).await;
        }
        let data = if value == 4 { Value::Null } else { json!(value) };
        assert_eq!((reply.status(), reply.data()), (200, &data), "{told}");
        assert_eq!(reply.value()["last"], value == 4, "{told}");
        if value == 1 {
            assert_eq!((client.event().await.data(), other.event().await.data()), (&json!(3), &json!(3)), "{told}");
        }
    }
    assert_alive(&mut client).await;
}

#[tokio::test(start_paused = true)]
async fn stream_is_reauthorized_before_each_reply_after_a_change() {
    for action in ["stream", "stream_in_order", "stream_detached"] {
        for at in 1..=4 {
            assert_stream(action, at, true).await;
            assert_stream(action, at, false).await;
        }
    }
}
