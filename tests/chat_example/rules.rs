//! Rules outside the table: limits, batches, typing, archives, deactivated members, pages and receipts.

use super::example::model::{RoomId, UserId};
use super::{
    ADA, BACKSTAGE, CORA, Crowd, Demo, GARDEN, MIA, NEWS, OTTO, PIA, PRIVATE, SAM, event, reply, status, status_of,
};

#[tokio::test]
async fn site_moderator_moderates_only_as_a_member() {
    let demo = Demo::new();
    let mut mo = demo.client(super::MO).await;
    assert_eq!(status_of(&mut mo, "delete", "rooms/1/messages/2/", "").await, 403);
    demo.store.add(RoomId(GARDEN), &[UserId(super::MO)]).unwrap();
    assert_eq!(status_of(&mut mo, "edit", "rooms/1/messages/2/", r#""text":"(hidden)""#).await, 200);
    assert_eq!(status_of(&mut mo, "delete", "rooms/1/messages/2/", "").await, 204);
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
        ("demote", "rooms/1/members/2/", ""),
        ("revoke", "rooms/1/members/3/", r#""permission":"post""#),
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

#[tokio::test(start_paused = true)]
async fn receipt_is_announced_only_if_the_member_has_read_further() {
    let demo = Demo::new();
    let (mut cora, mut mia) = (demo.client_in_room(CORA, GARDEN).await, demo.client(MIA).await);
    for message in [2, 1, 2] {
        let route = format!("rooms/1/messages/{message}/");
        assert_eq!(status_of(&mut mia, "acknowledge", &route, "").await, 204, "{message}");
    }
    assert_eq!(event(&mut cora).await.1["message"], 2);
    cora.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn member_who_is_named_twice_is_removed_once() {
    let demo = Demo::new();
    let (mut cora, mut pia) = (demo.client(CORA).await, demo.client_in_room(PIA, GARDEN).await);
    let mut mia = demo.client_in_room(MIA, GARDEN).await;
    assert_eq!(status_of(&mut cora, "remove", "rooms/1/members/", r#""users":[4,4]"#).await, 204);
    for (socket, wanted) in [(&mut pia, "member_removed"), (&mut mia, "room_left")] {
        assert_eq!(event(socket).await.0, wanted);
        socket.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn added_member_hears_of_it_on_every_connection() {
    let demo = Demo::new();
    let (mut ada, mut cora) = (demo.client(ADA).await, demo.client_in_room(CORA, GARDEN).await);
    let (mut otto, mut again) = (demo.client(OTTO).await, demo.client(OTTO).await);
    // Mia is a member already, so only Otto is announced.
    assert_eq!(status_of(&mut ada, "add", "rooms/1/members/", r#""users":[4,5]"#).await, 200);
    for socket in [&mut otto, &mut again, &mut cora] {
        let (name, place) = event(socket).await;
        assert_eq!((&*name, place["user"].as_i64()), ("member_added", Some(OTTO)));
        socket.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_message_enters_every_room_of_the_caller() {
    let demo = Demo::new();
    let (mut cora, mut mia, mut otto) = (demo.client(CORA).await, demo.client(MIA).await, demo.client(OTTO).await);
    let rooms = reply(&mut mia, "enter_rooms", "", "").await;
    let ids: Vec<_> = rooms["data"].as_array().unwrap().iter().map(|room| room["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [GARDEN, NEWS, PRIVATE, BACKSTAGE]);
    assert_eq!(reply(&mut otto, "enter_rooms", "", "").await["data"], serde_json::json!([]));
    for room in ids {
        assert_eq!(status(&mut cora, "send", room, r#""text":"hi""#).await, 201);
        assert_eq!(event(&mut mia).await.1["room"], room);
    }
    otto.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn users_that_have_the_room_open_are_listed() {
    let demo = Demo::new();
    let (mut cora, mia) = (demo.client_in_room(CORA, GARDEN).await, demo.client_in_room(MIA, GARDEN).await);
    let _mia_again = demo.client_in_room(MIA, GARDEN).await;
    let expected = [(CORA, 1), (MIA, 2)];
    let expected =
        expected.map(|(user, connections)| serde_json::json!({ "user": user.to_string(), "connections": connections }));
    assert_eq!(reply(&mut cora, "read_online", "rooms/1/", "").await["data"], serde_json::json!(expected));
    mia.close().await;
    assert_eq!(reply(&mut cora, "read_online", "rooms/1/", "").await["data"][1]["connections"], 1);
}
