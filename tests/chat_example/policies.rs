//! Policies that an application replaces.

use super::example::model::{RoomId, Single, Subject, UserId};
use super::example::policy::{self, Policy, Power, Standing};
use super::example::site_policy::SitePolicy;
use super::example::store::Store;
use super::{BACKSTAGE, CORA, Crowd, Demo, GARDEN, MIA, NEWS, OTTO, PIA, PRIVATE, SAM, reply, status, status_of};

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

/// Refuses one act to everyone, in every room.
struct Narrowed(&'static str);

impl Policy for Narrowed {
    fn may_send(&self, who: &Standing) -> portcullis::Result<bool> {
        Ok(self.0 != "send" && policy::may_send(who))
    }
    fn may_read(&self, who: &Standing) -> portcullis::Result<bool> {
        Ok(self.0 != "read" && policy::may_read(who))
    }
    fn may_moderate(&self, who: &Standing) -> portcullis::Result<bool> {
        Ok(self.0 != "moderate" && policy::may_moderate(who))
    }
    fn may_manage_members(&self, who: &Standing, single: Single) -> portcullis::Result<bool> {
        Ok(self.0 != "manage" && policy::may_manage_members(who, single))
    }
    fn may_administer(&self, who: &Standing, power: Power) -> portcullis::Result<bool> {
        Ok(self.0 != "administer" && policy::may_administer(who, power))
    }
}

#[tokio::test]
async fn each_policy_refuses_members_whom_the_default_admits() {
    for policy in ["send", "read", "moderate", "manage", "administer"] {
        let demo = Demo::with(Store::open(None).unwrap(), Narrowed(policy));
        let garden = (RoomId(GARDEN), (Subject::Member, "1"));
        demo.store.overwrite(garden.0, garden.1, "chat.can_moderate_chat", Some(true)).unwrap();
        let mut cora = demo.client(CORA).await;
        for (act, action, route, rest) in [
            ("send", "send", "rooms/1/", r#""text":"hi""#),
            ("read", "read_messages", "rooms/1/", ""),
            ("moderate", "edit", "rooms/1/messages/2/", r#""text":"(hidden)""#),
            ("manage", "add", "rooms/1/members/", r#""users":[6]"#),
            ("manage", "remove", "rooms/1/members/", r#""users":[4]"#),
            ("administer", "rename", "rooms/1/settings/", r#""name":"Park""#),
            ("administer", "delete", "rooms/1/", ""),
        ] {
            let status = status_of(&mut cora, action, route, rest).await;
            assert_eq!(status == 403, act == policy, "{policy} policy, {action}: {status}");
        }
    }
}

/// Refuses everything to everyone.
struct Closed;

impl Policy for Closed {
    fn may_send(&self, _: &Standing) -> portcullis::Result<bool> {
        Ok(false)
    }
    fn may_read(&self, _: &Standing) -> portcullis::Result<bool> {
        Ok(false)
    }
    fn may_moderate(&self, _: &Standing) -> portcullis::Result<bool> {
        Ok(false)
    }
    fn may_manage_members(&self, _: &Standing, _: Single) -> portcullis::Result<bool> {
        Ok(false)
    }
    fn may_administer(&self, _: &Standing, _: Power) -> portcullis::Result<bool> {
        Ok(false)
    }
}

#[tokio::test]
async fn member_whom_the_policy_lets_do_nothing_can_still_leave() {
    let demo = Demo::with(Store::open(None).unwrap(), Closed);
    let mut mia = demo.client(MIA).await;
    assert_eq!(status(&mut mia, "read_room", GARDEN, "").await, 403);
    assert_eq!(reply(&mut mia, "enter_rooms", "", "").await["data"], serde_json::json!([]));
    assert_eq!(status(&mut mia, "leave", GARDEN, "").await, 204);
    assert!(demo.store.place(RoomId(GARDEN), UserId(MIA)).unwrap().is_none());
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
