//! Revocations take effect at once: for the next action and the next event, on every connection.

use portcullis::testing::connect;

use super::{ADA, CORA, Demo, GARDEN, MIA, NEWS, OTTO, PIA, PRIVATE, SAM, event, reply, status, status_of};

#[tokio::test(start_paused = true)]
async fn removed_member_sends_and_receives_nothing() {
    let demo = Demo::new();
    let (mut cora, mut pia) = (demo.client_in_room(CORA, GARDEN).await, demo.client_in_room(PIA, GARDEN).await);
    let (mut mia, mut again) = (demo.client_in_room(MIA, GARDEN).await, demo.client_in_room(MIA, GARDEN).await);
    assert_eq!(status_of(&mut cora, "remove", "rooms/1/members/", r#""users":[4]"#).await, 204);
    for socket in [&mut mia, &mut again] {
        assert_eq!(event(socket).await.0, "room_left");
    }
    status(&mut cora, "send", GARDEN, r#""text":"She is gone.""#).await;
    for socket in [&mut mia, &mut again] {
        socket.expect_silence().await;
        assert_eq!(status(socket, "send", GARDEN, r#""text":"hi""#).await, 403);
        assert_eq!(status(socket, "enter", GARDEN, "").await, 403);
        assert_eq!(status_of(socket, "edit", "rooms/1/messages/2/", r#""text":"mine once""#).await, 403);
    }
    assert_eq!(event(&mut pia).await.0, "member_removed");
    assert_eq!(event(&mut pia).await.0, "message_created");
    pia.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn creator_who_rejoins_is_a_plain_member() {
    let demo = Demo::new();
    let (mut cora, mut ada) = (demo.client_in_room(CORA, GARDEN).await, demo.client_in_room(ADA, GARDEN).await);
    let mut again = demo.client_in_room(CORA, GARDEN).await;
    assert_eq!(status(&mut cora, "leave", GARDEN, "").await, 204);
    assert_eq!(event(&mut ada).await.0, "member_removed");
    status(&mut ada, "send", GARDEN, r#""text":"hello?""#).await;
    for socket in [&mut cora, &mut again] {
        assert_eq!(event(socket).await.0, "room_left");
        socket.expect_silence().await;
        assert_eq!(status_of(socket, "rename", "rooms/1/settings/", r#""name":"Mine""#).await, 403);
    }
    assert_eq!(status_of(&mut ada, "add", "rooms/1/members/", r#""users":[1]"#).await, 200);
    assert_eq!(event(&mut cora).await.0, "member_added");
    assert_eq!(status(&mut cora, "send", GARDEN, r#""text":"hi""#).await, 201);
    for (action, route) in [("delete", "rooms/1/"), ("demote", "rooms/1/members/2/")] {
        assert_eq!(status_of(&mut cora, action, route, "").await, 403);
    }
}

#[tokio::test(start_paused = true)]
async fn role_or_permission_change_applies_to_the_next_message() {
    let demo = Demo::new();
    let (mut cora, mut ada) = (demo.client(CORA).await, demo.client_in_room(ADA, NEWS).await);
    let mut pia = demo.client(PIA).await;
    let lock = r#""locked":true"#;
    assert_eq!(status_of(&mut ada, "lock", "rooms/2/settings/", lock).await, 200);
    assert_eq!(status_of(&mut cora, "lock", "rooms/2/settings/", r#""locked":false"#).await, 200);
    assert_eq!(status(&mut pia, "send", NEWS, r#""text":"hi""#).await, 201);
    assert_eq!(status_of(&mut cora, "revoke", "rooms/2/members/3/", r#""permission":"post""#).await, 200);
    assert_eq!(status(&mut pia, "send", NEWS, r#""text":"hi""#).await, 403);
    assert_eq!(status_of(&mut cora, "grant", "rooms/2/members/3/", r#""permission":"post""#).await, 200);
    assert_eq!(status(&mut pia, "send", NEWS, r#""text":"hi""#).await, 201);
    assert_eq!(status_of(&mut cora, "demote", "rooms/2/members/2/", "").await, 200);
    assert_eq!(status_of(&mut ada, "lock", "rooms/2/settings/", lock).await, 403);
    assert_eq!(status(&mut ada, "send", NEWS, r#""text":"hi""#).await, 403);
    assert_eq!(status_of(&mut cora, "promote", "rooms/2/members/2/", "").await, 200);
    assert_eq!(status(&mut ada, "send", NEWS, r#""text":"hi""#).await, 201);
    // A user that gives up its own role gets the reply.
    assert_eq!(status_of(&mut ada, "demote", "rooms/2/members/2/", "").await, 200);
    assert_eq!(status_of(&mut ada, "lock", "rooms/2/settings/", lock).await, 403);
}

#[tokio::test(start_paused = true)]
async fn deactivated_user_is_closed_and_cannot_reconnect() {
    let demo = Demo::new();
    let (mut sam, mut mia) = (demo.client(SAM).await, demo.client_in_room(MIA, GARDEN).await);
    let mut cora = demo.client_in_room(CORA, GARDEN).await;
    assert_eq!(status_of(&mut cora, "deactivate", "", r#""user":7"#).await, 403);
    assert_eq!(status_of(&mut sam, "deactivate", "", r#""user":99"#).await, 404);
    assert_eq!(status_of(&mut sam, "deactivate", "", r#""user":4"#).await, 204);
    assert_eq!(mia.closed().await, 4403);
    let token = demo.store.log_in(super::UserId(MIA)).unwrap().unwrap();
    let refused = connect(&demo.endpoint).path(&format!("/ws?token={token}")).open().await.unwrap_err();
    assert_eq!(refused.status(), 403);
    let room = reply(&mut cora, "read_room", "rooms/1/", "").await;
    let members = room["data"]["members"].as_array().unwrap();
    let mia = members.iter().find(|member| member["user"] == MIA).unwrap();
    assert_eq!(mia["active"], false, "a deactivated member stays until it is removed");
    assert_eq!(status_of(&mut cora, "add", "rooms/1/members/", r#""users":[4]"#).await, 404);
}

#[tokio::test]
async fn user_deactivated_in_the_database_is_denied() {
    let demo = Demo::new();
    let mut mia = demo.client_in_room(MIA, GARDEN).await;
    assert!(demo.store.deactivate(super::UserId(MIA)).unwrap());
    for (action, rest) in [("my_rooms", ""), ("create_room", r#""kind":"group","name":"Mine""#), ("open_private", "")] {
        assert_eq!(status_of(&mut mia, action, "", rest).await, 403, "{action}");
    }
    assert_eq!(status(&mut mia, "read_messages", GARDEN, "").await, 403);
}

#[tokio::test(start_paused = true)]
async fn deleted_room_is_gone_for_all_members() {
    let demo = Demo::new();
    let (mut cora, mut mia) = (demo.client_in_room(CORA, PRIVATE).await, demo.client_in_room(MIA, PRIVATE).await);
    let mut otto = demo.client(OTTO).await;
    assert_eq!(status(&mut mia, "delete", PRIVATE, "").await, 204);
    for socket in [&mut cora, &mut mia] {
        assert_eq!(event(socket).await, ("room_deleted".to_owned(), serde_json::json!({ "room": PRIVATE })));
        assert_eq!(status(socket, "read_messages", PRIVATE, "").await, 403);
    }
    otto.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn room_ends_when_its_last_member_leaves() {
    let demo = Demo::new();
    for user in [PIA, MIA, ADA, CORA] {
        assert!(demo.store.room(super::RoomId(GARDEN)).is_ok());
        assert_eq!(status(&mut demo.client(user).await, "leave", GARDEN, "").await, 204, "{user}");
    }
    assert_eq!(demo.store.room(super::RoomId(GARDEN)).unwrap_err().status(), 404);
    assert!(demo.store.messages(super::RoomId(GARDEN), 1).unwrap().messages.is_empty());
}
