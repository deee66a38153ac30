//! Fresh credentials: handled one at a time and never given to an ended connection; actions that began with the old
//! credentials are refreshed by the old roles.

use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use portcullis::testing::connect;
use tokio::time::timeout;

use super::drops::BlocksOnDrop;
use super::{Lobby, Search, house, open};

#[tokio::test(start_paused = true)]
async fn authenticate_with_an_escaped_action_name_waits_for_the_previous_one() {
    let (state, house) = house();
    let mut client = open(&house, "7 old").await;
    client.send(r#"{"action":"hold"}"#);
    state.started.notified().await;
    client.send(r#"{"action":"authenticate","token":"wait 7 older","request_id":1}"#);
    state.authenticating.notified().await;
    state.resume.notify_one();
    assert_eq!(client.reply().await.value()["action"], "hold");
    client.send(r#"{"action":"\u0061uthenticate","token":"7 newer","request_id":2}"#);
    client.expect_silence().await;
    state.authenticate_permit.notify_one();
    for id in [1, 2] {
        assert_eq!(client.reply().await.value()["request_id"], id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connection_that_ended_during_authenticate_is_not_registered() {
    let (state, house) = house();
    let publisher = house.publisher();
    let (release, blocker) = mpsc::channel();
    *state.blocker.lock().unwrap() = Some(blocker);
    let mut client = connect(&house).open().await.unwrap();
    client.send(r#"{"action":"hold"}"#);
    state.started.notified().await;
    client.send(r#"{"action":"authenticate","token":"7"}"#);
    state.authenticating.notified().await;
    drop(client);
    while state.find(|| publisher.publish(&Lobby, Search)) > 0 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    state.disconnected.notified().await;
    let found = async {
        while state.find(|| publisher.publish_to_user("7", Search)) == 0 {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(Duration::from_millis(100), found).await.is_err(), "no connection is left");
}

#[tokio::test(start_paused = true)]
async fn refresh_role_reaches_an_action_that_began_with_the_role() {
    let (state, house) = house();
    let mut client = open(&house, "7 mod").await;
    client.send(r#"{"action":"may_before_and_after"}"#);
    state.started.notified().await;
    client.send(r#"{"action":"authenticate","token":"7 reader"}"#);
    assert_eq!(client.reply().await.status(), 204);
    // The event loads the grants of the new user, so that the new roles are known.
    house.publisher().publish(&Lobby, BlocksOnDrop::default());
    client.expect_silence().await;
    state.can_mods_read.store(false, Ordering::SeqCst);
    assert!(house.connections().refresh_role("mod").revalidated().await.is_acknowledged());
    state.resume.notify_one();
    let reply = client.reply().await;
    assert_eq!(*reply.data(), serde_json::json!([true, false]));
}
