//! The receivers of an upload: a codename with overwrites of the room for everyone, for roles, and for one member.

use portcullis::testing::Client;

use super::example::model::{RoomId, UserId};
use super::{ADA, BACKSTAGE, CORA, Demo, GARDEN, MIA, MO, PIA, ROOT, event, status, status_of};

/// Uploads a file and sends a message that all members get; returns the members that got the upload.
async fn upload_receivers(by: &mut Client, room: i64, sockets: &mut [(&'static str, Client)]) -> Vec<&'static str> {
    assert_eq!(status(by, "upload", room, r#""file":"plan.png""#).await, 201);
    assert_eq!(status(by, "send", room, r#""text":"Seen?""#).await, 201);
    let mut receivers = Vec::new();
    for (name, socket) in sockets {
        let (mut next, data) = event(socket).await;
        if next == "upload_created" {
            assert_eq!((data["room"].as_i64(), data["file"].as_str()), (Some(room), Some("plan.png")));
            receivers.push(*name);
            next = event(socket).await.0;
        }
        assert_eq!(next, "message_created", "{name}");
    }
    receivers
}

#[tokio::test(start_paused = true)]
async fn upload_event_reaches_only_users_who_may_read_uploads() {
    let demo = Demo::new();
    for room in [GARDEN, BACKSTAGE] {
        demo.store.add(RoomId(room), &[UserId(MO), UserId(ROOT)]).unwrap();
    }
    for (room, wanted) in [
        (GARDEN, vec!["Ada", "Pia", "Mia", "Mo", "Root"]),
        // Denied to everyone, allowed to moderators and to Ada. An administrator sees all.
        (BACKSTAGE, vec!["Ada", "Mo", "Root"]),
    ] {
        let mut sockets = Vec::new();
        for (name, user) in [("Ada", ADA), ("Pia", PIA), ("Mia", MIA), ("Mo", MO), ("Root", ROOT)] {
            sockets.push((name, demo.client_in_room(user, room).await));
        }
        assert_eq!(upload_receivers(&mut demo.client(CORA).await, room, &mut sockets).await, wanted);
        for (name, socket) in &mut sockets {
            let status = status(socket, "read_uploads", room, "").await;
            assert_eq!(status == 200, wanted.contains(name), "{name}: {status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn upload_overwrite_applies_to_the_next_upload() {
    let demo = Demo::new();
    demo.store.add(RoomId(BACKSTAGE), &[UserId(MO), UserId(ROOT)]).unwrap();
    let mut cora = demo.client(CORA).await;
    let mut sockets = Vec::new();
    for (name, user) in [("Ada", ADA), ("Mia", MIA), ("Mo", MO), ("Root", ROOT)] {
        sockets.push((name, demo.client_in_room(user, BACKSTAGE).await));
    }
    for (change, wanted) in [
        (r#""subject":"member","name":"4","allowed":true"#, "Ada Mia Mo Root"),
        (r#""subject":"member","name":"6","allowed":false"#, "Ada Mia Root"),
        (r#""subject":"member","name":"6","allowed":null"#, "Ada Mia Mo Root"),
        (r#""subject":"role","name":"moderator","allowed":false"#, "Ada Mia Root"),
        // Of the overwrites for several roles, an allowing one wins.
        (r#""subject":"role","name":"user","allowed":true"#, "Ada Mia Mo Root"),
        (r#""subject":"member","name":"2","allowed":false"#, "Mia Mo Root"),
        // The overwrite for the member takes precedence over the one for everyone.
        (r#""subject":"everyone","allowed":true"#, "Mia Mo Root"),
    ] {
        assert_eq!(status_of(&mut cora, "show_uploads", "rooms/4/settings/", change).await, 204, "{change}");
        assert_eq!(upload_receivers(&mut cora, BACKSTAGE, &mut sockets).await.join(" "), wanted, "{change}");
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
        ("member", "5", 404),
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
async fn overwrite_of_a_member_is_one_however_the_id_is_written() {
    let demo = Demo::new();
    let (mut ada, mut pia) = (demo.client(ADA).await, demo.client(PIA).await);
    for (name, allowed, wanted) in [("3", "true", 200), ("03", "false", 403), ("+3", "true", 200), ("3", "null", 403)] {
        let overwrite = format!(r#""subject":"member","name":"{name}","allowed":{allowed}"#);
        assert_eq!(status_of(&mut ada, "show_uploads", "rooms/4/settings/", &overwrite).await, 204);
        assert_eq!(status(&mut pia, "read_uploads", BACKSTAGE, "").await, wanted, "{name} {allowed}");
    }
}

#[tokio::test]
async fn overwrite_of_a_former_member_can_be_removed() {
    let demo = Demo::new();
    let (mut cora, mut ada) = (demo.client(CORA).await, demo.client(ADA).await);
    assert_eq!(status(&mut ada, "leave", BACKSTAGE, "").await, 204);
    for (allowed, wanted) in [("true", 404), ("null", 204)] {
        let overwrite = format!(r#""subject":"member","name":"2","allowed":{allowed}"#);
        assert_eq!(status_of(&mut cora, "show_uploads", "rooms/4/settings/", &overwrite).await, wanted, "{allowed}");
    }
    // A member again, and denied like everyone.
    assert_eq!(status_of(&mut cora, "add", "rooms/4/members/", r#""users":[2]"#).await, 200);
    assert_eq!(status(&mut ada, "read_uploads", BACKSTAGE, "").await, 403);
}
