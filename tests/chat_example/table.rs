//! The permission table: each kind of room, each role, each action.

use super::example::model::{Kind, RoomId, Subject, UserId};
use super::{ADA, BACKSTAGE, CORA, Demo, GARDEN, MIA, MO, NEWS, OTTO, PIA, PRIVATE, SAM, status_of};

/// Creator, admin, holder of every single permission, plain member, outsider.
const ROLES: [i64; 5] = [CORA, ADA, PIA, MIA, OTTO];
/// Both members of a private conversation, and an outsider.
const TWO: [i64; 3] = [CORA, MIA, OTTO];

/// An action; what each of a group, of a channel, and of a private conversation gets for it. `ok` is any success; an
/// empty column is not in the table.
///
/// In a message, `ROOM` is the room, `OWN` a message of the caller in it, `HERS` one of another user, `ELSEWHERE` a room
/// of the caller. Mo is a plain member of it too, Sam is not; the creator is 1.
const TABLE: &[(&str, &str, &str, &str)] = &[
    (r#"send rooms/ROOM/ "text":"hi""#, "ok ok ok ok 403", "ok ok ok 403 403", "ok ok 403"),
    (r"typing rooms/ROOM/", "ok ok ok ok 403", "ok ok ok 403 403", "ok ok 403"),
    (r#"upload rooms/ROOM/ "file":"a.png""#, "ok ok ok ok 403", "ok ok ok 403 403", "ok ok 403"),
    (r"enter rooms/ROOM/", "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r"read_room rooms/ROOM/", "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r"read_online rooms/ROOM/", "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r"read_messages rooms/ROOM/", "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r"read_uploads rooms/ROOM/", "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r#"add rooms/ROOM/members/ "users":[7]"#, "ok ok ok 403 403", "ok ok ok 403 403", "400 400 403"),
    (r#"remove rooms/ROOM/members/ "users":[6]"#, "ok ok ok 403 403", "ok ok ok 403 403", "400 400 403"),
    (r#"remove rooms/ROOM/members/ "users":[1]"#, "ok 403 403 403 403", "ok 403 403 403 403", "400 400 403"),
    (r#"remove rooms/ROOM/members/ "users":[6,1]"#, "ok 403 403 403 403", "ok 403 403 403 403", "400 400 403"),
    (r#"rename rooms/ROOM/settings/ "name":"Park""#, "ok ok 403 403 403", "ok ok 403 403 403", "400 400 403"),
    (r#"lock rooms/ROOM/settings/ "locked":true"#, "ok ok 403 403 403", "ok ok 403 403 403", "400 400 403"),
    (r#"archive rooms/ROOM/settings/ "archived":true"#, "ok ok 403 403 403", "ok ok 403 403 403", "400 400 403"),
    (
        r#"show_uploads rooms/ROOM/settings/ "subject":"everyone","allowed":false"#,
        "ok ok 403 403 403",
        "ok ok 403 403 403",
        "400 400 403",
    ),
    (r"promote rooms/ROOM/members/6/", "ok ok 403 403 403", "ok ok 403 403 403", "400 400 403"),
    (r"demote rooms/ROOM/members/2/", "ok ok 403 403 403", "ok ok 403 403 403", "400 400 403"),
    (r"demote rooms/ROOM/members/1/", "403 403 403 403 403", "403 403 403 403 403", "400 400 403"),
    (r#"grant rooms/ROOM/members/6/ "permission":"post""#, "ok ok 403 403 403", "ok ok 403 403 403", "400 400 403"),
    (r#"revoke rooms/ROOM/members/3/ "permission":"post""#, "ok ok 403 403 403", "ok ok 403 403 403", "400 400 403"),
    (r"delete rooms/ROOM/", "ok 403 403 403 403", "ok 403 403 403 403", "ok ok 403"),
    (r"leave rooms/ROOM/", "ok ok ok ok 403", "ok ok ok ok 403", "400 400 403"),
    (r"join channels/ROOM/", "403 403 403 403 403", "ok ok ok ok ok", "403 403 403"),
    (r#"edit rooms/ROOM/messages/OWN/ "text":"ho""#, "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r"delete rooms/ROOM/messages/OWN/", "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r#"edit rooms/ROOM/messages/HERS/ "text":"ho""#, "403 403 403 403 403", "403 403 403 403 403", "403 403 403"),
    (r"delete rooms/ROOM/messages/HERS/", "403 403 403 403 403", "403 403 403 403 403", "403 403 403"),
    (r#"react rooms/ROOM/messages/HERS/ "emoji":"+1""#, "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r"unreact rooms/ROOM/messages/HERS/", "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r"read_messages rooms/ROOM/?page=2", "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r"acknowledge rooms/ROOM/messages/HERS/", "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
    (r#"send rooms/ROOM/ "text":"hi","reply_to":HERS"#, "ok ok ok ok 403", "ok ok ok 403 403", "ok ok 403"),
    (
        r#"send rooms/ELSEWHERE/ "text":"hi","reply_to":HERS"#,
        "403 403 403 403 403",
        "403 403 403 403 403",
        "403 403 403",
    ),
    (r#"forward rooms/ELSEWHERE/ "message":HERS"#, "ok ok ok ok 403", "ok ok ok ok 403", "ok ok 403"),
];

/// The table for callers with `chat.can_moderate_chat` in that room.
const MODERATING: &[(&str, &str, &str, &str)] = &[
    (r#"edit rooms/ROOM/messages/HERS/ "text":"ho""#, "ok ok ok ok 403", "ok ok ok ok 403", "403 403 403"),
    (r"delete rooms/ROOM/messages/HERS/", "ok ok ok ok 403", "ok ok ok ok 403", "403 403 403"),
];

/// The table for a locked room.
const LOCKED: &[(&str, &str, &str, &str)] = &[
    (r#"send rooms/ROOM/ "text":"hi""#, "ok ok 403 403 403", "", ""),
    (r"typing rooms/ROOM/", "ok ok 403 403 403", "", ""),
    (r#"forward rooms/ROOM/ "message":HERS"#, "ok ok 403 403 403", "", ""),
    (r"read_messages rooms/ROOM/", "ok ok ok ok 403", "", ""),
    (r#"react rooms/ROOM/messages/HERS/ "emoji":"+1""#, "ok ok ok ok 403", "", ""),
];

/// The table for a channel that is not public.
const CLOSED: &[(&str, &str)] = &[
    (r"join channels/ROOM/", "403 403 403 403 403"),
    (r#"send rooms/ROOM/ "text":"hi""#, "ok ok ok 403 403"),
    (r"read_messages rooms/ROOM/", "ok ok ok ok 403"),
];

/// Returns the status for one caller, in a fresh demo.
async fn cell(message: &str, room: i64, caller: i64, prepare: fn(&Demo, i64, i64)) -> u16 {
    let demo = Demo::new();
    if room != PRIVATE {
        demo.store.add(RoomId(room), &[UserId(MO)]).unwrap();
    }
    prepare(&demo, room, caller);
    let own = demo.say(room, caller, "mine").id;
    let hers = demo.say(room, if caller == CORA { MIA } else { CORA }, "hers").id;
    let elsewhere = demo.store.create(UserId(caller), Kind::Group, "Elsewhere", false).unwrap().id;
    let message = message
        .replace("ROOM", &room.to_string())
        .replace("OWN", &own.to_string())
        .replace("HERS", &hers.to_string())
        .replace("ELSEWHERE", &elsewhere.to_string());
    let mut words = message.splitn(3, ' ');
    let (action, route) = (words.next().unwrap(), words.next().unwrap());
    status_of(&mut demo.client(caller).await, action, route, words.next().unwrap_or_default()).await
}

async fn expect(message: &str, room: i64, callers: &[i64], wanted: &str, prepare: fn(&Demo, i64, i64)) {
    if wanted.is_empty() {
        return;
    }
    let mut got = Vec::new();
    for caller in callers {
        let status = cell(message, room, *caller, prepare).await;
        got.push(if (200..300).contains(&status) { "ok".to_owned() } else { status.to_string() });
    }
    assert_eq!(got.join(" "), wanted, "{message} in room {room} for {callers:?}");
}

async fn expect_all(table: &[(&str, &str, &str, &str)], prepare: fn(&Demo, i64, i64)) {
    for (message, group, channel, private) in table {
        expect(message, GARDEN, &ROLES, group, prepare).await;
        expect(message, NEWS, &ROLES, channel, prepare).await;
        expect(message, PRIVATE, &TWO, private, prepare).await;
    }
}

#[tokio::test]
async fn every_role_gets_the_status_of_the_table() {
    expect_all(TABLE, |_, _, _| {}).await;
}

#[tokio::test]
async fn locked_group_accepts_messages_of_admins_only() {
    expect_all(LOCKED, |demo, room, _| drop(demo.store.set_locked(RoomId(room), true).unwrap())).await;
}

#[tokio::test]
async fn moderator_moderates_as_a_member_and_not_in_private() {
    let prepare = |demo: &Demo, room, caller: i64| {
        let subject = (Subject::Member, &*caller.to_string());
        demo.store.overwrite(RoomId(room), subject, "chat.can_moderate_chat", Some(true)).unwrap();
    };
    expect_all(MODERATING, prepare).await;
}

#[tokio::test]
async fn channel_that_is_not_public_cannot_be_joined() {
    for (message, wanted) in CLOSED {
        expect(message, BACKSTAGE, &ROLES, wanted, |_, _, _| {}).await;
    }
}

#[tokio::test]
async fn outsider_gets_the_same_reply_for_every_room() {
    let demo = Demo::new();
    let mut otto = demo.client(OTTO).await;
    for (message, ..) in TABLE.iter().filter(|(message, ..)| !message.contains("ELSEWHERE")) {
        let mut replies = Vec::new();
        // A group, a private conversation, a channel, and none at all; the public channel shows in `join` alone.
        for room in [GARDEN, PRIVATE, BACKSTAGE, 99, NEWS] {
            if room == NEWS && message.starts_with("join") {
                continue;
            }
            let message = message.replace("ROOM", "R").replace("OWN", "1").replace("HERS", "1");
            let (action, rest) = message.split_once(' ').unwrap();
            let (route, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let route = route.replace('R', &room.to_string());
            let reply = super::reply(&mut otto, action, &route, rest).await;
            replies.push(reply.to_string().replace(&route, "ROUTE"));
        }
        replies.dedup();
        assert_eq!(replies.len(), 1, "{message}: {replies:?}");
        assert!(replies[0].contains("permission_denied"), "{message}: {replies:?}");
    }
    // Neither by a missing action or route, nor by a malformed message.
    for (action, below, rest) in [("drop_tables", "", ""), ("send", "vault/", ""), ("send", "", r#""text":5"#)] {
        for room in [GARDEN, NEWS, PRIVATE, BACKSTAGE, 99] {
            assert_eq!(
                status_of(&mut otto, action, &format!("rooms/{room}/{below}"), rest).await,
                403,
                "{action} {room}"
            );
        }
    }
    assert_eq!(
        status_of(&mut demo.client(SAM).await, "my_rooms", "", "").await,
        200,
        "a user without rooms gets an empty list"
    );
}
