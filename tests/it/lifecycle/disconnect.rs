//! Who was disconnected: causes nothing more, hears nothing more, and does not come in by a door that was slow to answer.

use std::pin::pin;
use std::sync::atomic::Ordering;

use portcullis::testing::connect;

use super::{Room, Said, desk, enter, member, open};

#[tokio::test(start_paused = true)]
async fn disconnected_user_publishes_nothing() {
    for action in ["say", "say_beside"] {
        let (truth, desk) = desk();
        let (mut banned, mut other) = (open(&desk, "7").await, open(&desk, "8").await);
        enter(&mut other, 1).await;
        banned.send(format!(r#"{{"action":"{action}"}}"#));
        truth.begun.notified().await;
        desk.connections().disconnect_user("7");
        truth.go_on.notify_one();
        truth.gone.notified().await;
        desk.publisher().publish(&Room(1), Said(2));
        assert_eq!(other.reply().await.data(), 2, "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn disconnected_user_gets_no_reply() {
    let (truth, desk) = desk();
    let mut banned = open(&desk, "7").await;
    banned.send(r#"{"action":"hold"}"#);
    truth.begun.notified().await;
    desk.connections().disconnect_user("7");
    truth.go_on.notify_one();
    assert_eq!(banned.closed().await, 4403);
}

#[tokio::test(start_paused = true)]
async fn queued_messages_of_a_disconnected_user_are_not_dispatched() {
    let (truth, desk) = desk();
    let mut banned = open(&desk, "7").await;
    banned.send(r#"{"action":"ban","user":"7"}"#);
    for _ in 0..1000 {
        banned.send(r#"{"action":"count"}"#);
    }
    truth.gone.notified().await;
    assert_eq!(truth.counted.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn user_disconnected_during_the_handshake_is_closed() {
    // After many others it is not remembered who it was: then nobody comes in, who may come again later.
    for (others, code) in [(0, 4403), (5000, 4500)] {
        let (truth, desk) = desk();
        truth.door.send_replace(false);
        let sessions = desk.connections();
        let mut connecting = pin!(connect(&desk).user(member("7")).open());
        assert!(futures_util::poll!(connecting.as_mut()).is_pending());
        sessions.disconnect_user("7");
        for other in 0..others {
            sessions.disconnect_user(&format!("other {other}"));
        }
        truth.door.send_replace(true);
        assert_eq!(connecting.await.unwrap().closed().await, code, "after {others} others");
    }
}
