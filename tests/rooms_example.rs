//! The permissions of the `rooms` example, without a browser or a port. A process of its own: `assert_audit!` lists the
//! program.

#[expect(dead_code, reason = "its `main` and the pages are tested by `it/examples/rooms_page.rs`")]
#[path = "../examples/rooms/main.rs"]
mod example;

use example::lobby::Lobby;
use example::model::UserId;
use example::store::Store;
use portcullis::Endpoint;
use portcullis::testing::{Client, connect};

/// The users with their ids, in the order of the tables' columns; 0 is anonymous.
const CAST: [(&str, i64); 7] =
    [("Olive", 1), ("Max", 2), ("Mia", 3), ("Otto", 4), ("Bruno", 5), ("Ada", 6), ("anonymous", 0)];

/// The example in its initial state.
struct Demo {
    store: Store,
    endpoint: Endpoint<Lobby>,
}

impl Demo {
    fn new() -> Demo {
        let store = Store::open(None).unwrap();
        Demo { endpoint: example::endpoint(store.clone()), store }
    }

    async fn client(&self, user: i64) -> Client {
        let path = match self.store.log_in(UserId(user)).unwrap() {
            Some(token) => format!("/ws?token={token}"),
            None => "/ws".to_owned(),
        };
        connect(&self.endpoint).path(&path).open().await.unwrap()
    }
}

/// Sends one message as `user` in a fresh demo and returns the status of its reply.
async fn status(user: i64, message: &str) -> u16 {
    let mut client = Demo::new().client(user).await;
    client.send(message);
    client.reply().await.status()
}

#[tokio::test]
async fn every_role_gets_the_status_that_it_allows() {
    let table = [
        // Olive owns room 1, Max moderates it, Mia is a member, Bruno a banned one; Ada administers the site.
        ("200 200 200 200 200 200 200", r#"{"action":"whoami"}"#),
        ("200 200 200 200 200 200 200", r#"{"action":"list","route":"?page=2"}"#),
        ("201 201 201 201 201 201 403", r#"{"action":"create_room","name":"Shed"}"#),
        ("403 403 403 403 403 204 403", r#"{"action":"reset"}"#),
        ("200 200 200 403 403 200 403", r#"{"action":"read","route":"rooms/1/"}"#),
        ("201 201 201 403 403 201 403", r#"{"action":"post","route":"rooms/1/","text":"hi"}"#),
        ("204 204 403 403 403 204 403", r#"{"action":"lock","route":"rooms/1/","locked":true}"#),
        ("204 403 403 403 403 204 403", r#"{"action":"rename","route":"rooms/1/","name":"Park"}"#),
        ("200 403 403 403 403 403 403", r#"{"action":"export","route":"rooms/1/"}"#),
        // Message 3 is Mia's.
        ("200 200 200 403 403 200 403", r#"{"action":"show","route":"rooms/1/messages/3/"}"#),
        ("403 403 204 403 403 403 403", r#"{"action":"edit","route":"rooms/1/messages/3/","text":"hi"}"#),
        ("204 204 204 403 403 204 403", r#"{"action":"delete","route":"rooms/1/messages/3/"}"#),
        // Mia, as a member of the room.
        ("200 200 200 403 403 200 403", r#"{"action":"show","route":"rooms/1/members/3/"}"#),
        ("200 403 403 403 403 200 403", r#"{"action":"set_role","route":"rooms/1/members/3/","role":"owner"}"#),
        ("200 200 403 403 403 200 403", r#"{"action":"ban","route":"rooms/1/members/3/"}"#),
        ("403 403 204 403 403 403 403", r#"{"action":"leave","route":"rooms/1/members/3/"}"#),
        // No user bans a higher role or raises its own, an owner cannot leave; Bruno is banned already.
        ("403 403 403 403 403 200 403", r#"{"action":"ban","route":"rooms/1/members/1/"}"#),
        ("403 403 403 403 403 200 403", r#"{"action":"set_role","route":"rooms/1/members/1/","role":"member"}"#),
        ("403 403 403 403 403 403 403", r#"{"action":"leave","route":"rooms/1/members/1/"}"#),
        ("409 409 403 403 403 409 403", r#"{"action":"ban","route":"rooms/1/members/5/"}"#),
        ("200 200 403 403 403 200 403", r#"{"action":"unban","route":"rooms/1/members/5/"}"#),
        // Room 3 is locked, Max owns it, and Mia is a member.
        ("403 201 403 403 403 403 403", r#"{"action":"post","route":"rooms/3/","text":"hi"}"#),
        ("403 200 200 403 403 200 403", r#"{"action":"read","route":"rooms/3/"}"#),
    ];
    for (wanted, message) in table {
        expect(wanted, message).await;
    }
}

#[tokio::test]
async fn denied_user_learns_nothing_about_the_room() {
    let table = [
        // Missing and malformed things are revealed only to users who may know.
        ("405 405 405 403 403 405 403", r#"{"action":"drop_tables","route":"rooms/1/"}"#),
        ("404 404 404 403 403 404 403", r#"{"action":"read","route":"rooms/1/vault/"}"#),
        ("403 403 403 403 403 404 403", r#"{"action":"read","route":"rooms/99/"}"#),
        ("404 404 404 404 404 404 404", r#"{"action":"read","route":"rooms/x/"}"#),
        ("400 400 400 403 403 400 403", r#"{"action":"post","route":"rooms/1/"}"#),
        ("400 400 400 403 403 400 403", r#"{"action":"post","route":"rooms/1/","text":" "}"#),
        ("400 400 400 403 403 400 403", r#"{"action":"read","route":"rooms/1/?page=x"}"#),
        // A message of another room is missing in this one for every user.
        ("404 404 404 403 403 404 403", r#"{"action":"show","route":"rooms/1/messages/8/"}"#),
        ("404 404 403 403 403 404 403", r#"{"action":"delete","route":"rooms/1/messages/8/"}"#),
        // A key of the message never replaces a capture of the route.
        ("403 403 200 403 403 200 403", r#"{"action":"read","route":"rooms/6/","room_id":1}"#),
    ];
    for (wanted, message) in table {
        expect(wanted, message).await;
    }
}

/// Asserts one status per user.
async fn expect(wanted: &str, message: &str) {
    let mut got = Vec::new();
    for (_, id) in CAST {
        got.push(status(id, message).await.to_string());
    }
    assert_eq!(got.join(" "), wanted, "{message}\nfor {:?}", CAST.map(|(name, _)| name));
}

#[tokio::test]
async fn revoked_role_is_gone_at_once() {
    let demo = Demo::new();
    let (mut olive, mut mia) = (demo.client(1).await, demo.client(3).await);
    assert_eq!(mia.call("read").route("rooms/1/").await.status(), 200);
    assert_eq!(olive.call("ban").route("rooms/1/members/3/").await.status(), 200);
    assert_eq!(mia.call("read").route("rooms/1/").await.status(), 403);
    assert_eq!(olive.call("unban").route("rooms/1/members/3/").await.status(), 200);
    let promoted = olive.call("set_role").route("rooms/1/members/3/").with("role", "moderator").await;
    assert_eq!(promoted.data()["role"], "moderator");
    assert_eq!(mia.call("lock").route("rooms/1/").with("locked", true).await.status(), 204);
}

#[tokio::test]
async fn messages_are_stored_and_paged() {
    let demo = Demo::new();
    let mut olive = demo.client(1).await;
    let id = olive.call("post").route("rooms/1/").with("text", "Rain \"today\"\n").await.data()["id"].clone();
    let newest = olive.call("read").route("rooms/1/").await;
    assert_eq!(newest.data()["messages"][0]["id"], id);
    assert_eq!(newest.data()["messages"][0]["text"], "Rain \"today\"\n");
    let older = olive.call("read").route("rooms/1/?page=2").await;
    assert_eq!(older.data()["page"], 2);
    assert_eq!(older.data()["messages"][2]["id"], 1, "{older:?}");
    let export = olive.call("export").route("rooms/1/").await;
    assert!(export.data().as_str().unwrap().starts_with("Olive: Welcome"), "{export:?}");
}

#[tokio::test]
async fn unknown_token_is_rejected_with_401() {
    let refused = connect(&Demo::new().endpoint).path("/ws?token=forged").open().await.unwrap_err();
    assert_eq!(refused.status(), 401);
}

#[test]
fn audit_of_the_example_matches_the_snapshot() {
    portcullis::assert_audit!("examples/rooms/audit.snap");
}
