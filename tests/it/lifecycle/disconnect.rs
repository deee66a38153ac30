//! `disconnect_user`: the user causes nothing more, gets nothing more, and cannot complete a pending handshake.

use std::pin::pin;
use std::sync::atomic::Ordering;

use portcullis::testing::connect;

use super::{Room, Said, house, join_room, member, open};

#[tokio::test(start_paused = true)]
async fn disconnected_user_publishes_nothing() {
    for action in ["say", "say_detached"] {
        let (state, house) = house();
        let (mut banned, mut other) = (open(&house, "7").await, open(&house, "8").await);
        join_room(&mut other, 1).await;
        banned.send(format!(r#"{{"action":"{action}"}}"#));
        state.started.notified().await;
        assert!(house.connections().disconnect_user("7").await.is_acknowledged());
        state.resume.notify_one();
        state.disconnected.notified().await;
        house.publisher().publish(&Room(1), Said(2));
        assert_eq!(other.reply().await.data(), 2, "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn disconnected_user_gets_no_reply() {
    let (state, house) = house();
    let mut banned = open(&house, "7").await;
    banned.send(r#"{"action":"hold"}"#);
    state.started.notified().await;
    assert!(house.connections().disconnect_user("7").await.is_acknowledged());
    state.resume.notify_one();
    assert_eq!(banned.closed().await, 4403);
}

#[tokio::test(start_paused = true)]
async fn queued_messages_of_a_disconnected_user_are_not_dispatched() {
    let (state, house) = house();
    let mut banned = open(&house, "7").await;
    banned.send(r#"{"action":"ban","user":"7"}"#);
    for _ in 0..1000 {
        banned.send(r#"{"action":"count"}"#);
    }
    state.disconnected.notified().await;
    assert_eq!(state.count_calls.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn user_disconnected_during_the_handshake_is_closed() {
    // After many other disconnects the tombstone has expired: the connection is closed as an internal error, and may retry.
    for (others, code) in [(0, 4403), (5000, 4500)] {
        let (state, house) = house();
        state.handshake_open.send_replace(false);
        let connections = house.connections();
        let mut connecting = pin!(connect(&house).user(member("7")).open());
        assert!(futures_util::poll!(connecting.as_mut()).is_pending());
        assert!(connections.disconnect_user("7").await.is_acknowledged());
        for other in 0..others {
            assert!(connections.disconnect_user(&format!("other {other}")).await.is_acknowledged());
        }
        state.handshake_open.send_replace(true);
        assert_eq!(connecting.await.unwrap().closed().await, code, "after {others} others");
    }
}
