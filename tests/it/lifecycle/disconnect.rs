//! `disconnect_user` and `disconnect`: the user, or the connection, causes nothing more, gets nothing more, and cannot
//! complete a pending handshake.

use std::pin::pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock};

use portcullis::testing::connect;
use portcullis::{
    AllowAny, ConnectContext, ConnectionId, Connections, Context, Disconnect, DisconnectReason, Event, Group, Result,
    consumer,
};
use serde_json::json;

use super::{house, join_room, member, open};

#[tokio::test(start_paused = true)]
async fn publication_of_a_disconnected_users_running_action_goes_out() {
    for action in ["say", "say_detached"] {
        let (state, house) = house();
        let (mut banned, mut other) = (open(&house, "7").await, open(&house, "8").await);
        join_room(&mut other, 1).await;
        banned.send(format!(r#"{{"action":"{action}"}}"#));
        state.started.notified().await;
        assert!(house.connections().disconnect_user("7").await.is_acknowledged());
        state.resume.notify_one();
        state.disconnected.notified().await;
        assert_eq!(other.reply().await.data(), 1, "{action}: others must not miss what it has stored");
        other.expect_silence().await;
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

/// What `#[disconnect]` was told of a connection.
type Ended = (ConnectionId, DisconnectReason, String);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Gatehouse, permission = AllowAny, publish = members, events(Left))]
struct Visitors;

#[derive(Event)]
struct Left(String);

/// Records the id of each connection, and how it ends.
#[derive(Clone, Default)]
struct Gatehouse {
    ids: Arc<Mutex<Vec<ConnectionId>>>,
    ended: Arc<Mutex<Vec<Ended>>>,
    /// Where set, `#[connect]` disconnects its own connection.
    connections: Arc<OnceLock<Connections<Gatehouse>>>,
}

#[consumer]
impl Gatehouse {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, ()>) -> Result<()> {
        let id = cx.scope().connection_id();
        self.ids.lock().unwrap().push(id);
        if let Some(connections) = self.connections.get() {
            assert!(connections.disconnect(id).await.is_acknowledged());
        }
        cx.join(Visitors).await
    }

    #[disconnect]
    async fn disconnect(&self, cx: &Disconnect<'_, ()>) {
        let id = cx.scope().connection_id();
        assert_eq!(cx.user(), None);
        self.ended.lock().unwrap().push((id, cx.reason(), format!("{cx:?}")));
        cx.publish(Visitors, Left(id.to_string()));
    }

    #[event(permission = AllowAny)]
    fn left<'e>(&self, event: &'e Left) -> &'e str {
        &event.0
    }

    #[action(permission = AllowAny)]
    async fn own_id(&self, cx: &Context<'_, ()>) -> String {
        cx.scope().connection_id().to_string()
    }
}

#[tokio::test(start_paused = true)]
async fn connection_is_disconnected_by_id() {
    let state = Gatehouse::default();
    let gatehouse = portcullis::websocket(state.clone());
    let mut one = connect(&gatehouse).open().await.unwrap();
    let mut other = connect(&gatehouse).open().await.unwrap();
    let (own, others) = (one.call("own_id").await, other.call("own_id").await);
    let ids = state.ids.lock().unwrap().clone();
    assert_ne!(ids[0], ids[1]);
    assert_eq!((own.data(), others.data()), (&json!(ids[0].to_string()), &json!(ids[1].to_string())));
    assert!(gatehouse.connections().disconnect(ids[0]).await.is_acknowledged());
    assert_eq!(one.closed().await, 4403);
    assert!(gatehouse.connections().disconnect(ids[0]).await.is_acknowledged(), "an ended connection is no error");
    assert_eq!(other.call("own_id").await.data(), &ids[1].to_string(), "the other connection stays");
}

#[tokio::test(start_paused = true)]
async fn connection_disconnected_by_id_during_the_connect_hook_is_closed() {
    let state = Gatehouse::default();
    let gatehouse = portcullis::websocket(state.clone());
    assert!(state.connections.set(gatehouse.connections()).is_ok());
    assert_eq!(connect(&gatehouse).open().await.unwrap().closed().await, 4403);
}

#[tokio::test(start_paused = true)]
async fn disconnect_hook_knows_the_reason_and_publishes() {
    let state = Gatehouse::default();
    let gatehouse = portcullis::websocket(state.clone());
    let mut stays = connect(&gatehouse).open().await.unwrap();
    assert_eq!(stays.call("own_id").await.status(), 200);
    for is_revoked in [false, true] {
        let mut leaves = connect(&gatehouse).open().await.unwrap();
        assert_eq!(leaves.call("own_id").await.status(), 200);
        let id = *state.ids.lock().unwrap().last().unwrap();
        if is_revoked {
            assert!(gatehouse.connections().disconnect(id).await.is_acknowledged());
        }
        drop(leaves);
        assert_eq!(stays.event().await.data(), &json!(id.to_string()));
        let (ended, reason, text) = state.ended.lock().unwrap().pop().unwrap();
        assert_eq!(ended, id);
        match reason {
            DisconnectReason::PeerGone => assert!(!is_revoked, "{text}"),
            DisconnectReason::Closed { code, .. } => assert!(is_revoked && code == 4403, "{text}"),
            _ => panic!("{text}"),
        }
        assert!(text.contains("reason"), "{text}");
    }
}
