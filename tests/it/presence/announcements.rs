//! Announcements: the events about the first and the last connection of a user.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use portcullis::Drain;
use portcullis::http::request::Parts;
use tokio::runtime::Builder;
use tokio::time::timeout;
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

/// Applies announcements to the list from its request on, as a client does.
#[tokio::test(start_paused = true)]
async fn change_between_the_list_and_its_reply_is_announced_once() {
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
    assert_eq!([next_change(&mut viewer).await, next_change(&mut viewer).await], changes);
    let list = viewer.reply().await;
    assert_eq!(list.data(), &json!([{"user": "1", "connections": 1}, {"user": "2", "connections": 1}]));
    viewer.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn user_is_shown_by_the_first_of_its_connections_that_are_members() {
    let (office, _) = office(without_timeouts());
    let mut red = enter(&office, 1, &["red"]).await;
    let mut blue = enter(&office, 2, &["blue"]).await;
    // Two connections of one user, of which the viewers see one each.
    let mut first = enter(&office, 3, &["red"]).await;
    let mut second = enter(&office, 3, &["blue"]).await;
    assert_eq!(change(&mut red).await, ("3".to_owned(), true));
    blue.expect_silence().await;
    assert_eq!((online(&mut red).await, online(&mut blue).await), (vec![(1, 1), (3, 2)], vec![(2, 1)]));
    assert_eq!(first.call("exit").with("room", 1).await.status(), 200);
    assert_eq!(change(&mut red).await, ("3".to_owned(), false));
    assert_eq!(change(&mut blue).await, ("3".to_owned(), true));
    assert_eq!((online(&mut red).await, online(&mut blue).await), (vec![(1, 1)], vec![(2, 1), (3, 1)]));
    assert_eq!(second.call("exit").with("room", 1).await.status(), 200);
    assert_eq!(change(&mut blue).await, ("3".to_owned(), false));
    red.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn user_that_logs_in_anew_as_another_team_is_announced_to_both_teams() {
    let (office, _) = office(without_timeouts());
    let mut red = enter(&office, 1, &["red"]).await;
    let mut blue = enter(&office, 2, &["blue"]).await;
    let mut staff = enter(&office, 3, &["none", "staff"]).await;
    let mut member = enter(&office, 4, &["red"]).await;
    for viewer in [&mut red, &mut staff] {
        assert_eq!(change(viewer).await, ("4".to_owned(), true));
    }
    assert_eq!(member.call("authenticate").with("id", 4).await.status(), 204);
    red.expect_silence().await;
    assert_eq!(member.call("authenticate").with("id", 4).with("is_blue", true).await.status(), 204);
    assert_eq!(change(&mut red).await, ("4".to_owned(), false));
    assert_eq!(change(&mut blue).await, ("4".to_owned(), true));
    assert_eq!((online(&mut red).await, online(&mut blue).await), (vec![(1, 1)], vec![(2, 1), (4, 1)]));
    staff.expect_silence().await;
    drop(member);
    for viewer in [&mut blue, &mut staff] {
        assert_eq!(change(viewer).await, ("4".to_owned(), false));
    }
    red.expect_silence().await;
}

/// More changes than are announced in one pass, made before the task runs that announces them.
#[tokio::test(start_paused = true)]
async fn every_user_of_a_large_change_is_announced() {
    let (office, _) = office(without_timeouts());
    let mut viewer = enter(&office, 1, &["red"]).await;
    let mut clients = Vec::new();
    for id in 2..102 {
        clients.push(open(&office, id, &["red"]).await);
    }
    for client in &mut clients {
        client.send(json!({"action": "enter", "room": 1}).to_string());
    }
    let mut announced = HashSet::new();
    for _ in 2..102 {
        let (user, is_online) = change(&mut viewer).await;
        assert!(is_online && announced.insert(user));
    }
    viewer.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn viewers_of_the_former_connection_learn_that_it_has_gone_although_the_user_is_back() {
    let (office, _) = office(without_timeouts());
    let mut red = enter(&office, 1, &["red"]).await;
    let mut blue = enter(&office, 2, &["blue"]).await;
    let _former = enter(&office, 3, &["red"]).await;
    let mut newer = open(&office, 3, &["blue"]).await;
    assert_eq!(change(&mut red).await, ("3".to_owned(), true));
    office.publisher().leave("3", &Room(1));
    newer.send(json!({"action": "enter", "room": 1}).to_string());
    assert_eq!(change(&mut red).await, ("3".to_owned(), false));
    assert_eq!(change(&mut blue).await, ("3".to_owned(), true));
    red.expect_silence().await;
    blue.expect_silence().await;
}

/// One event fits into the queue, and the viewer reads nothing meanwhile.
#[tokio::test(start_paused = true)]
async fn changes_that_a_member_may_not_see_fill_no_queue() {
    let (office, _) = office(Limits { max_queued_events: 1, ..without_timeouts() });
    let mut red = enter(&office, 1, &["red"]).await;
    let mut blue = enter(&office, 2, &["blue"]).await;
    for _ in 0..50 {
        assert_eq!(blue.call("exit").with("room", 1).await.status(), 200);
        assert_eq!(blue.call("enter").with("room", 1).await.status(), 200);
    }
    red.expect_silence().await;
    assert_eq!(online(&mut red).await, [(1, 1)]);
    assert_eq!(office.publisher().counters().too_slow, 0);
}

/// The connection processes all messages before the task runs that announces the changes.
#[tokio::test(start_paused = true)]
async fn changes_that_follow_each_other_are_announced_as_one() {
    let (office, _) = office(without_timeouts());
    let mut viewer = enter(&office, 1, &["red"]).await;
    let mut member = enter(&office, 2, &["red"]).await;
    assert_eq!(change(&mut viewer).await, ("2".to_owned(), true));
    for last in ["exit", "enter"] {
        for action in ["exit", "enter"].repeat(10).iter().chain([&last]) {
            member.send(json!({"action": action, "room": 1}).to_string());
        }
        assert_eq!(change(&mut viewer).await, ("2".to_owned(), last == "enter"));
        viewer.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn end_of_a_task_that_panics_is_announced() {
    let (office, _) = office(without_timeouts());
    let mut viewer = enter(&office, 1, &["red"]).await;
    let mut panics = enter(&office, 2, &["red"]).await;
    assert_eq!(change(&mut viewer).await, ("2".to_owned(), true));
    panics.send(json!({"action": "fall"}).to_string());
    assert_eq!(panics.closed().await, 4500);
    assert_eq!(change(&mut viewer).await, ("2".to_owned(), false));
    assert_eq!(online(&mut viewer).await, [(1, 1)]);
}

/// The task that announces a change runs on the runtime of the connection that has caused it.
#[test]
fn end_of_a_runtime_is_announced_to_members_on_another_one() {
    let [viewers, members] =
        [(); 2].map(|()| Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());
    let (office, _) = viewers.block_on(async { office(without_timeouts()) });
    let mut viewer = viewers.block_on(enter(&office, 1, &["red"]));
    let _member = members.block_on(enter(&office, 2, &["red"]));
    assert_eq!(viewers.block_on(change(&mut viewer)), ("2".to_owned(), true));
    drop(members);
    let next = async { timeout(Duration::from_secs(20), change(&mut viewer)).await };
    assert_eq!(viewers.block_on(next), Ok(("2".to_owned(), false)));
}

#[tokio::test(start_paused = true)]
async fn drain_announces_the_connections_that_it_closes() {
    let (office, _) = office(without_timeouts());
    let mut clients = Vec::new();
    for id in 0..8 {
        clients.push(enter(&office, id, &["red"]).await);
    }
    let drain = Drain { notice: Duration::ZERO, window: Duration::from_secs(8), deadline: Duration::from_mins(1) };
    office.drain_handle().start(drain);
    assert_eq!(office.drain_handle().finished().await.closed, 8);
    // The connection that was closed last has seen all others go.
    let mut most = 0;
    for client in clients {
        let (frames, code) = client.close().await;
        assert_eq!(code, 1012);
        let gone =
            frames.iter().filter(|frame| frame.event_name() == Some("presence") && frame.data()["online"] == false);
        most = most.max(gone.count());
    }
    assert_eq!(most, 7);
}

#[tokio::test(start_paused = true)]
async fn user_with_a_new_connection_stays_a_member_while_the_former_one_closes() {
    let (office, _) = office(without_timeouts());
    let mut viewer = enter(&office, 1, &["red"]).await;
    let mut former = enter(&office, 2, &["red"]).await;
    assert_eq!(change(&mut viewer).await, ("2".to_owned(), true));
    let mut newer = enter(&office, 2, &["red"]).await;
    assert_eq!(newer.call("close_others").await.status(), 200);
    assert_eq!(former.closed().await, 4403);
    viewer.expect_silence().await;
    assert_eq!(online(&mut viewer).await, [(1, 1), (2, 1)]);
    drop(newer);
    assert_eq!(change(&mut viewer).await, ("2".to_owned(), false));
}

/// Returns the next frame, which must be an announcement.
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
async fn real_sockets_list_each_other_and_get_announcements() {
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
