//! Rules outside the table: limits, batches, typing, and policies that an application replaces.

use std::path::PathBuf;

use super::example::model::{RoomId, Single, UserId};
use super::example::policy::{self, Policy, Power, Standing};
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
async fn archived_room_is_read_only_until_an_admin_restores_it() {
    let demo = Demo::new();
    let (mut cora, mut ada, mut mia) = (demo.client(CORA).await, demo.client(ADA).await, demo.client(MIA).await);
    let archive = |archived: bool| format!(r#""archived":{archived}"#);
    assert_eq!(status_of(&mut mia, "archive", "rooms/1/settings/", &archive(true)).await, 403);
    assert_eq!(status_of(&mut ada, "archive", "rooms/1/settings/", &archive(true)).await, 200);
    let (message, member, settings) = ("rooms/1/messages/1/", "rooms/1/members/4/", "rooms/1/settings/");
    for (action, route, rest) in [
        ("send", "rooms/1/", r#""text":"hi""#),
        ("forward", "rooms/1/", r#""message":3"#),
        ("typing", "rooms/1/", ""),
        ("upload", "rooms/1/", r#""file":"a.png""#),
        ("edit", message, r#""text":"ho""#),
        ("delete", message, ""),
        ("react", message, r#""emoji":"+1""#),
        ("unreact", message, ""),
        ("add", "rooms/1/members/", r#""users":[7]"#),
        ("remove", "rooms/1/members/", r#""users":[4]"#),
        ("promote", member, ""),
        ("grant", member, r#""permission":"post""#),
        ("rename", settings, r#""name":"Park""#),
        ("lock", settings, r#""locked":true"#),
        ("show_uploads", settings, r#""subject":"everyone","allowed":false"#),
    ] {
        assert_eq!(status_of(&mut cora, action, route, rest).await, 403, "{action}");
    }
    for (action, route) in [("read_messages", "rooms/1/"), ("enter", "rooms/1/"), ("acknowledge", message)] {
        assert!(status_of(&mut mia, action, route, "").await < 300, "{action}");
    }
    assert_eq!(status(&mut mia, "leave", GARDEN, "").await, 204);
    assert_eq!(status_of(&mut ada, "archive", settings, &archive(false)).await, 200);
    assert_eq!(status(&mut ada, "send", GARDEN, r#""text":"hi""#).await, 201);
    assert_eq!(status_of(&mut ada, "archive", settings, &archive(true)).await, 200);
    assert_eq!(status(&mut cora, "delete", GARDEN, "").await, 204);
    // A public channel cannot be joined either.
    assert_eq!(status_of(&mut ada, "archive", "rooms/2/settings/", &archive(true)).await, 200);
    assert_eq!(status_of(&mut demo.client(OTTO).await, "join", "channels/2/", "").await, 403);
}

/// Admits staff to one act only, in every room.
struct Widened(&'static str);

impl Widened {
    fn admits(&self, act: &str, who: &Standing) -> bool {
        self.0 == act && who.staff
    }
}

impl Policy for Widened {
    fn may_send(&self, who: &Standing) -> portcullis::Result<bool> {
        Ok(self.admits("send", who) || policy::may_send(who))
    }
    fn may_read(&self, who: &Standing) -> portcullis::Result<bool> {
        Ok(self.admits("read", who) || policy::may_read(who))
    }
    fn may_moderate(&self, who: &Standing) -> portcullis::Result<bool> {
        Ok(self.admits("moderate", who) || policy::may_moderate(who))
    }
    fn may_manage_members(&self, who: &Standing, single: Single) -> portcullis::Result<bool> {
        Ok(self.admits("manage", who) || policy::may_manage_members(who, single))
    }
    fn may_administer(&self, who: &Standing, power: Power) -> portcullis::Result<bool> {
        Ok(self.admits("administer", who) || policy::may_administer(who, power))
    }
}

#[tokio::test]
async fn each_policy_admits_users_who_are_not_in_the_room() {
    for (admitted, calls) in [
        ("send", &[("send", "rooms/1/", r#""text":"hi""#)][..]),
        ("read", &[("enter", "rooms/1/", ""), ("react", "rooms/1/messages/1/", r#""emoji":"+1""#)]),
        ("moderate", &[("delete", "rooms/1/messages/1/", "")]),
        ("manage", &[("add", "rooms/1/members/", r#""users":[6]"#), ("remove", "rooms/1/members/", r#""users":[6]"#)]),
        (
            "administer",
            &[
                ("rename", "rooms/1/settings/", r#""name":"Park""#),
                ("promote", "rooms/1/members/4/", ""),
                ("delete", "rooms/1/", ""),
            ],
        ),
    ] {
        for policy in ["send", "read", "moderate", "manage", "administer"] {
            let (file, store) = Crowd::new(&format!("{admitted}-{policy}"), 1);
            // Sam is staff, and moderates where the policy lets him.
            let database = rusqlite::Connection::open(&file.0).unwrap();
            database.execute("INSERT INTO roles (user, role) VALUES (?1, 'moderator')", [SAM]).unwrap();
            let demo = Demo::with(store, Widened(policy));
            let mut sam = demo.client(SAM).await;
            for (action, route, rest) in calls {
                let status = status_of(&mut sam, action, route, rest).await;
                assert_eq!(status < 300, admitted == policy, "{policy} policy, {action}: {status}");
            }
        }
    }
}

#[tokio::test]
async fn overwrite_of_an_unknown_subject_is_refused() {
    let demo = Demo::new();
    let mut ada = demo.client(ADA).await;
    for (subject, name, wanted) in [
        ("everyone", "", 204),
        ("everyone", "Mia", 400),
        ("role", "moderator", 204),
        ("role", "wizard", 404),
        ("role", "", 404),
        ("member", "4", 204),
        ("member", "999", 404),
        ("member", "Mia", 404),
    ] {
        let overwrite = format!(r#""subject":"{subject}","name":"{name}","allowed":true"#);
        let status = status_of(&mut ada, "show_uploads", "rooms/4/settings/", &overwrite).await;
        assert_eq!(status, wanted, "{subject} {name:?}");
    }
}

#[tokio::test]
async fn later_overwrite_of_everyone_replaces_the_earlier_one() {
    let demo = Demo::new();
    let (mut ada, mut pia) = (demo.client(ADA).await, demo.client(PIA).await);
    for (allowed, wanted) in [("true", 200), ("false", 403), ("true", 200), ("null", 200)] {
        let overwrite = format!(r#""subject":"everyone","allowed":{allowed}"#);
        assert_eq!(status_of(&mut ada, "show_uploads", "rooms/4/settings/", &overwrite).await, 204);
        assert_eq!(status(&mut pia, "read_uploads", BACKSTAGE, "").await, wanted, "{allowed}");
    }
}

#[tokio::test]
async fn deactivated_member_can_be_removed_and_takes_no_place() {
    let demo = Demo::new();
    let mut cora = demo.client(CORA).await;
    assert!(demo.store.deactivate(UserId(MIA)).unwrap());
    assert_eq!(status_of(&mut cora, "remove", "rooms/1/members/", r#""users":[4]"#).await, 204);
    assert!(demo.store.place(RoomId(GARDEN), UserId(MIA)).unwrap().is_none());
    // Mia is the last other member of Backstage: a deactivated one does not keep it alive.
    for user in [ADA, PIA, CORA] {
        assert!(demo.store.room(RoomId(BACKSTAGE)).is_ok());
        assert_eq!(status(&mut demo.client(user).await, "leave", BACKSTAGE, "").await, 204);
    }
    assert_eq!(demo.store.room(RoomId(BACKSTAGE)).unwrap_err().status(), 404);

    let (_file, store) = Crowd::new("deactivated", 300);
    let demo = Demo::with(store, super::Unchanged);
    let mut cora = demo.client(CORA).await;
    assert_eq!(status_of(&mut cora, "add", "rooms/1/members/", &users(101, 96)).await, 200);
    assert_eq!(status_of(&mut cora, "add", "rooms/1/members/", r#""users":[7]"#).await, 409);
    assert!(demo.store.deactivate(UserId(101)).unwrap());
    assert_eq!(status_of(&mut cora, "add", "rooms/1/members/", r#""users":[7]"#).await, 200);
}

#[tokio::test]
async fn messages_are_read_in_pages_with_their_times() {
    let demo = Demo::new();
    for count in 0..60 {
        demo.say(GARDEN, CORA, &count.to_string());
    }
    let mut mia = demo.client(MIA).await;
    let first = reply(&mut mia, "read_messages", "rooms/1/", "").await;
    let second = reply(&mut mia, "read_messages", "rooms/1/?page=2", "").await;
    let texts = |page: &serde_json::Value| -> Vec<String> {
        let messages = page["data"]["messages"].as_array().unwrap();
        messages.iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((&first["data"]["page"], &first["data"]["pages"]), (&1.into(), &2.into()));
    assert_eq!(texts(&first), (10..60).map(|count| count.to_string()).collect::<Vec<_>>());
    assert_eq!((texts(&second).len(), texts(&second)[0].as_str()), (12, "Welcome to the garden."));
    let at = first["data"]["messages"][0]["at"].as_str().unwrap();
    assert!(at.len() == 20 && at.ends_with('Z'), "{at}");
    assert!(texts(&reply(&mut mia, "read_messages", "rooms/1/?page=3", "").await).is_empty());
    for page in ["0", "-1", "x"] {
        assert_eq!(status_of(&mut mia, "read_messages", &format!("rooms/1/?page={page}"), "").await, 400, "{page}");
    }
}

#[tokio::test(start_paused = true)]
async fn reactions_and_receipts_say_whose_they_are() {
    let demo = Demo::new();
    let (mut cora, mut mia) = (demo.client_in_room(CORA, GARDEN).await, demo.client(MIA).await);
    let message = "rooms/1/messages/1/";
    for (client, emoji) in [(&mut cora, "+1"), (&mut mia, "+1")] {
        assert_eq!(status_of(client, "react", message, &format!(r#""emoji":"{emoji}""#)).await, 200);
    }
    assert_eq!(event(&mut cora).await.0, "message_edited");
    let (_, edited) = event(&mut cora).await;
    assert_eq!(edited["reactions"], serde_json::json!([{ "emoji": "+1", "users": [CORA, MIA] }]));
    let edited = reply(&mut mia, "unreact", message, "").await;
    assert_eq!(edited["data"]["reactions"], serde_json::json!([{ "emoji": "+1", "users": [CORA] }]));
    assert_eq!(event(&mut cora).await.1["reactions"], edited["data"]["reactions"]);
    assert_eq!(status_of(&mut mia, "acknowledge", message, "").await, 204);
    let seen = serde_json::json!({ "room": GARDEN, "user": MIA, "message": 1 });
    assert_eq!(event(&mut cora).await, ("message_seen".to_owned(), seen));
    let room = reply(&mut cora, "read_room", "rooms/1/", "").await;
    let members = room["data"]["members"].as_array().unwrap();
    assert_eq!(members.iter().find(|member| member["user"] == MIA).unwrap()["seen"], 1);
}

#[tokio::test]
async fn quota_counts_messages_of_deleted_rooms_but_no_edits() {
    let store = Store::open(None).unwrap();
    let demo = Demo::with(store.clone(), SitePolicy { store, quota: 3 });
    let mut pia = demo.client(PIA).await;
    let room =
        reply(&mut pia, "create_room", "", r#""kind":"group","name":"Mine""#).await["data"]["id"].as_i64().unwrap();
    for _ in 0..2 {
        assert_eq!(status(&mut pia, "send", room, r#""text":"hi""#).await, 201);
    }
    assert_eq!(status(&mut pia, "delete", room, "").await, 204);
    let said = reply(&mut pia, "send", "rooms/1/", r#""text":"hi""#).await;
    assert_eq!(said["status"], 201);
    let message = format!("rooms/1/messages/{}/", said["data"]["id"]);
    assert_eq!(status_of(&mut pia, "edit", &message, r#""text":"ho""#).await, 200);
    assert_eq!(status(&mut pia, "send", GARDEN, r#""text":"hi""#).await, 429);
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
