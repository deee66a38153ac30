//! Rules outside the table: limits, batches, typing, and policies that an application replaces.

use std::path::PathBuf;

use super::example::model::{RoomId, UserId};
use super::example::site_policy::SitePolicy;
use super::example::store::Store;
use super::{ADA, BACKSTAGE, CORA, Demo, GARDEN, MIA, NEWS, OTTO, PIA, PRIVATE, SAM, event, reply, status, status_of};

#[tokio::test]
async fn site_moderator_moderates_only_as_a_member() {
    let demo = Demo::new();
    let mut mo = demo.client(super::MO).await;
    assert_eq!(status_of(&mut mo, "delete", "rooms/1/messages/2/", "").await, 403);
    demo.store.add(RoomId(GARDEN), &[UserId(super::MO)]).unwrap();
    assert_eq!(status_of(&mut mo, "edit", "rooms/1/messages/2/", r#""text":"(hidden)""#).await, 200);
    assert_eq!(status_of(&mut mo, "delete", "rooms/1/messages/2/", "").await, 204);
}

/// A database file with further users, from id 101 on.
struct Crowd(PathBuf);

impl Crowd {
    fn new(name: &str, people: i64) -> (Crowd, Store) {
        let path = std::env::temp_dir().join(format!("portcullis-chat-{name}-{}.db", std::process::id()));
        let store = Store::open(Some(&path)).unwrap();
        let database = rusqlite::Connection::open(&path).unwrap();
        let sql = "WITH RECURSIVE n (id) AS (SELECT 101 UNION ALL SELECT id + 1 FROM n LIMIT ?1)
                   INSERT INTO users (id, name) SELECT id, 'Guest' FROM n";
        database.execute(sql, [people]).unwrap();
        (Crowd(path), store)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn users(from: i64, count: i64) -> String {
    let ids: Vec<_> = (from..from + count).collect();
    format!(r#""users":{}"#, serde_json::to_string(&ids).unwrap())
}

#[tokio::test]
async fn batch_over_the_capacity_is_refused_as_a_whole() {
    let (_file, store) = Crowd::new("limits", 300);
    let demo = Demo::with(store, super::Unchanged);
    let mut cora = demo.client(CORA).await;
    // Each has four members from the start.
    for (room, capacity) in [(GARDEN, 100), (NEWS, 300)] {
        let route = format!("rooms/{room}/members/");
        assert_eq!(status_of(&mut cora, "add", &route, &users(101, capacity - 3)).await, 409, "{room}");
        let limit = format!(r#"{},"limit":1000,"capacity":1000"#, users(101, capacity - 3));
        assert_eq!(status_of(&mut cora, "add", &route, &limit).await, 409, "the client cannot set the limit");
        assert_eq!(demo.store.members(RoomId(room)).unwrap().len(), 4, "no user was added");
        assert_eq!(status_of(&mut cora, "add", &route, &users(101, capacity - 4)).await, 200);
        // A member that is added again takes no second place.
        assert_eq!(status_of(&mut cora, "add", &route, &users(101, 5)).await, 200);
        assert_eq!(status_of(&mut cora, "add", &route, r#""users":[8]"#).await, 409);
    }
    assert_eq!(status_of(&mut demo.client(OTTO).await, "join", "channels/2/", "").await, 409);
}

#[tokio::test]
async fn unknown_user_in_a_batch_is_revealed_only_to_members_who_may_add() {
    for (user, wanted) in [(CORA, 404), (ADA, 404), (PIA, 404), (MIA, 403), (OTTO, 403)] {
        let demo = Demo::new();
        for room in [GARDEN, NEWS] {
            let route = format!("rooms/{room}/members/");
            let got = status_of(&mut demo.client(user).await, "add", &route, r#""users":[7,999]"#).await;
            assert_eq!(got, wanted, "{user} in {room}");
            assert!(demo.store.place(RoomId(room), UserId(SAM)).unwrap().is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn batch_of_removals_with_one_refused_is_refused_as_a_whole() {
    let demo = Demo::new();
    let mut ada = demo.client(ADA).await;
    for batch in [r#""users":[4,1]"#, r#""users":[4,999]"#, r#""users":[4,5]"#] {
        assert_eq!(status_of(&mut ada, "remove", "rooms/1/members/", batch).await, 403);
        assert!(demo.store.place(RoomId(GARDEN), UserId(MIA)).unwrap().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn typing_event_is_not_sent_to_its_own_user() {
    let demo = Demo::new();
    let (mut mia, mut again) = (demo.client_in_room(MIA, GARDEN).await, demo.client_in_room(MIA, GARDEN).await);
    let (mut ada, mut otto) = (demo.client_in_room(ADA, GARDEN).await, demo.client(OTTO).await);
    assert_eq!(status(&mut mia, "typing", GARDEN, "").await, 204);
    assert_eq!(event(&mut ada).await, ("typing".to_owned(), serde_json::json!({ "room": GARDEN, "user": MIA })));
    for socket in [&mut mia, &mut again, &mut otto, &mut ada] {
        socket.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn member_with_an_open_room_gets_its_events() {
    let demo = Demo::new();
    let (mut cora, mut mia) = (demo.client(CORA).await, demo.client_in_room(MIA, GARDEN).await);
    let said = reply(&mut cora, "send", "rooms/1/", r#""text":"hi","edited":true,"deleted":true"#).await;
    assert_eq!((&said["data"]["edited"], &said["data"]["deleted"]), (&false.into(), &false.into()), "{said}");
    let message = format!("rooms/1/messages/{}/", said["data"]["id"]);
    for (action, route, rest, wanted) in [
        ("edit", &*message, r#""text":"ho""#, "message_edited"),
        ("react", &*message, r#""emoji":"+1""#, "message_edited"),
        ("delete", &*message, "", "message_deleted"),
        ("add", "rooms/1/members/", r#""users":[7]"#, "member_added"),
        ("promote", "rooms/1/members/7/", "", "role_changed"),
        ("grant", "rooms/1/members/7/", r#""permission":"post""#, "role_changed"),
        ("remove", "rooms/1/members/", r#""users":[7]"#, "member_removed"),
        ("rename", "rooms/1/settings/", r#""name":"Park""#, "room_changed"),
        ("lock", "rooms/1/settings/", r#""locked":true"#, "room_changed"),
    ] {
        if action == "edit" {
            assert_eq!(event(&mut mia).await.0, "message_created");
        }
        assert!(status_of(&mut cora, action, route, rest).await < 300, "{action}");
        assert_eq!(event(&mut mia).await.0, wanted);
    }
    mia.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn public_channel_joiner_reads_and_does_not_write() {
    let demo = Demo::new();
    let (mut otto, mut cora) = (demo.client(OTTO).await, demo.client_in_room(CORA, NEWS).await);
    assert_eq!(status_of(&mut otto, "join", "channels/2/", "").await, 200);
    assert_eq!(event(&mut cora).await.0, "member_added");
    assert_eq!(status(&mut otto, "read_messages", NEWS, "").await, 200);
    assert_eq!(status(&mut otto, "send", NEWS, r#""text":"hi""#).await, 403);
    assert_eq!(status(&mut cora, "send", NEWS, r#""text":"hi""#).await, 201);
    assert_eq!(event(&mut otto).await.0, "message_created");
}

#[tokio::test]
async fn custom_policy_replaces_one_decision_only() {
    let store = Store::open(None).unwrap();
    let demo = Demo::with(store.clone(), SitePolicy { store, quota: 500 });
    let mut sam = demo.client(SAM).await;
    for room in [GARDEN, NEWS, PRIVATE, BACKSTAGE] {
        assert_eq!(status(&mut sam, "send", room, r#""text":"The server goes down at ten.""#).await, 201);
        for action in ["enter", "read_messages", "read_room", "leave", "delete"] {
            assert_eq!(status(&mut sam, action, room, "").await, 403, "{action}");
        }
        assert_eq!(status(&mut sam, "send", room, r#""text":"what?","reply_to":1"#).await, 403);
    }
    assert_eq!(status(&mut sam, "send", 99, r#""text":"hi""#).await, 403);
    for (user, room, wanted) in [(OTTO, GARDEN, 403), (MIA, NEWS, 403), (MIA, GARDEN, 201)] {
        assert_eq!(status(&mut demo.client(user).await, "send", room, r#""text":"hi""#).await, wanted);
    }
}

#[tokio::test]
async fn archived_room_accepts_no_message() {
    let store = Store::open(None).unwrap();
    let demo = Demo::with(store.clone(), SitePolicy { store, quota: 500 });
    let mut ada = demo.client(ADA).await;
    assert_eq!(status_of(&mut ada, "archive", "rooms/1/settings/", r#""archived":true"#).await, 200);
    for user in [CORA, ADA, PIA, MIA, SAM, OTTO] {
        let mut client = demo.client(user).await;
        assert_eq!(status(&mut client, "send", GARDEN, r#""text":"hi""#).await, 403, "{user}");
        let reads = status(&mut client, "read_messages", GARDEN, "").await;
        assert_eq!(reads, if [SAM, OTTO].contains(&user) { 403 } else { 200 }, "{user}");
    }
    assert_eq!(status_of(&mut ada, "archive", "rooms/1/settings/", r#""archived":false"#).await, 200);
    assert_eq!(status(&mut ada, "send", GARDEN, r#""text":"hi""#).await, 201);
}

#[tokio::test]
async fn quota_is_revealed_only_to_members_who_may_send() {
    let store = Store::open(None).unwrap();
    let demo = Demo::with(store.clone(), SitePolicy { store, quota: 3 });
    // Mia has written two messages already, of which one in private.
    let mut mia = demo.client(MIA).await;
    assert_eq!(status(&mut mia, "send", GARDEN, r#""text":"hi""#).await, 201);
    let refused = reply(&mut mia, "send", "rooms/1/", r#""text":"hi""#).await;
    assert_eq!(refused["status"], 429, "{refused}");
    assert!((1..=86_400).contains(&refused["errors"][0]["retry_after"].as_u64().unwrap()), "{refused}");
    assert_eq!(status(&mut mia, "read_messages", GARDEN, "").await, 200);
    // The quota is not revealed in rooms where she could not send anyway.
    assert_eq!(status(&mut mia, "send", NEWS, r#""text":"hi""#).await, 403);
    assert_eq!(status(&mut mia, "send", 99, r#""text":"hi""#).await, 403);
}
