//! Events about users who come and go.

use futures_util::{SinkExt, StreamExt};
use portcullis::http::request::Parts;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::common::clients::{Socket, serve};

#[tokio::test(start_paused = true)]
async fn first_and_last_connection_of_a_user_are_announced() {
    let (office, _) = office(without_timeouts());
    let mut viewer = enter(&office, 1, &["red"]).await;
    let mut first = enter(&office, 2, &["red"]).await;
    assert_eq!(change(&mut viewer).await, ("2".to_owned(), true));
    let second = enter(&office, 2, &["red"]).await;
    assert_eq!(first.call("exit").with("room", 1).await.status(), 200);
    viewer.expect_silence().await;
    drop(second);
    assert_eq!(change(&mut viewer).await, ("2".to_owned(), false));
    viewer.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn every_end_of_a_membership_is_announced() {
    let (office, outsiders) = office(without_timeouts());
    let mut viewer = enter(&office, 1, &["red"]).await;
    let mut leaves = enter(&office, 2, &["red"]).await;
    let closes = enter(&office, 3, &["red"]).await;
    let _revoked = enter(&office, 4, &["red"]).await;
    let _disconnected = enter(&office, 5, &["red"]).await;
    for id in 2..6 {
        assert_eq!(change(&mut viewer).await, (id.to_string(), true));
    }
    assert_eq!(leaves.call("exit").with("room", 1).await.status(), 200);
    assert_eq!(change(&mut viewer).await, ("2".to_owned(), false));
    closes.close().await;
    assert_eq!(change(&mut viewer).await, ("3".to_owned(), false));
    outsiders.lock().unwrap().insert(4);
    assert!(office.connections().refresh_user("4").revalidated().await.is_acknowledged());
    assert_eq!(change(&mut viewer).await, ("4".to_owned(), false));
    assert!(office.connections().disconnect_user("5").await.is_acknowledged());
    assert_eq!(change(&mut viewer).await, ("5".to_owned(), false));
    viewer.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn member_that_may_not_see_the_user_and_outsiders_get_no_event() {
    let (office, _) = office(without_timeouts());
    let mut staff = enter(&office, 1, &["none", "staff"]).await;
    let mut blue = enter(&office, 2, &["blue"]).await;
    let mut red_outside = open(&office, 3, &["red"]).await;
    assert_eq!(change(&mut staff).await, ("2".to_owned(), true));
    let red = enter(&office, 4, &["red"]).await;
    assert_eq!(change(&mut staff).await, ("4".to_owned(), true));
    drop(red);
    assert_eq!(change(&mut staff).await, ("4".to_owned(), false));
    blue.expect_silence().await;
    red_outside.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn user_gets_no_event_about_itself() {
    let (office, _) = office(without_timeouts());
    let mut first = enter(&office, 1, &["red"]).await;
    let mut second = enter(&office, 1, &["red"]).await;
    assert_eq!(first.call("exit").with("room", 1).await.status(), 200);
    assert_eq!(first.call("enter").with("room", 1).await.status(), 200);
    first.expect_silence().await;
    second.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn event_that_a_join_causes_carries_the_subscriptions_of_its_receiver() {
    let (office, _) = office(without_timeouts());
    let mut viewer = open(&office, 1, &["red"]).await;
    assert_eq!(viewer.call("watch").with("room", 1).request_id("w").await.status(), 200);
    let _member = enter(&office, 2, &["red"]).await;
    let event = viewer.event().await;
    let expected = json!({
        "event": "presence", "data": {"user": "2", "online": true}, "group": "rooms/1", "request_ids": ["w"],
    });
    assert_eq!(event.value(), &expected);
}

#[tokio::test(start_paused = true)]
async fn change_between_the_list_and_the_reply_is_announced_again_after_the_reply() {
    let (office, _) = office(without_timeouts());
    let mut viewer = enter(&office, 1, &["red"]).await;
    let mut leaves = enter(&office, 2, &["red"]).await;
    assert_eq!(change(&mut viewer).await, ("2".to_owned(), true));
    let mut joins = open(&office, 3, &["red"]).await;
    viewer.send(json!({"action": "online_later", "room": 1, "turns": 1000}).to_string());
    tokio::task::yield_now().await;
    assert_eq!(leaves.call("exit").with("room", 1).await.status(), 200);
    assert_eq!(joins.call("enter").with("room", 1).await.status(), 200);
    let changes = [("2".to_owned(), false), ("3".to_owned(), true)];
    // The client does not know yet whether the list includes these.
    assert_eq!([next_change(&mut viewer).await, next_change(&mut viewer).await], changes);
    let list = viewer.reply().await;
    assert_eq!(list.data(), &json!([{"user": "1", "connections": 1}, {"user": "2", "connections": 1}]));
    assert_eq!([change(&mut viewer).await, change(&mut viewer).await], changes);
    viewer.expect_silence().await;
}

/// Returns the next frame, which must be about a user who comes or goes.
async fn next_change(client: &mut Client) -> (String, bool) {
    let frame = client.reply().await;
    assert_eq!(frame.event_name(), Some("presence"), "{}", frame.text());
    (frame.data()["user"].as_str().unwrap().to_owned(), frame.data()["online"] == true)
}

async fn by_query(parts: &Parts) -> Result<Option<Member>> {
    let id = parts.uri.query().and_then(|query| query.strip_prefix("id=")?.parse().ok());
    Ok(id.map(|id| member(id, &["red"])))
}

/// Sends a message and returns the next frame.
async fn call(socket: &mut Socket, message: Value) -> Value {
    socket.send(Message::text(message.to_string())).await.unwrap();
    read(socket).await
}

async fn read(socket: &mut Socket) -> Value {
    serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap()
}

#[tokio::test]
async fn real_sockets_list_each_other_and_learn_who_comes_and_goes() {
    let address = serve(office(Limits::default()).0.authenticate(by_query)).await;
    let (mut ada, _) = connect_async(format!("ws://{address}/ws?id=1")).await.unwrap();
    let (mut eve, _) = connect_async(format!("ws://{address}/ws?id=2")).await.unwrap();
    assert_eq!(call(&mut ada, json!({"action": "enter", "room": 1})).await["status"], 200);
    assert_eq!(call(&mut eve, json!({"action": "enter", "room": 1})).await["status"], 200);
    let expected = json!({"event": "presence", "data": {"user": "2", "online": true}, "group": "rooms/1"});
    assert_eq!(read(&mut ada).await, expected);
    let list = call(&mut ada, json!({"action": "online", "room": 1})).await;
    assert_eq!(list["data"], json!([{"user": "1", "connections": 1}, {"user": "2", "connections": 1}]));
    drop(eve);
    let expected = json!({"event": "presence", "data": {"user": "2", "online": false}, "group": "rooms/1"});
    assert_eq!(read(&mut ada).await, expected);
}
