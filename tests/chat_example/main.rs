//! The permissions of the `chat` example, without a browser or a port. A process of its own: `assert_audit!` lists the
//! program.

#[expect(dead_code, reason = "its `main` and the pages are tested by `it/examples/chat_page.rs`")]
#[path = "../../examples/chat/main.rs"]
mod example;

mod leaks;
mod policies;
mod revocation;
mod rules;
mod table;
mod uploads;

use std::path::PathBuf;

use portcullis::Endpoint;
use portcullis::testing::{Client, connect};
use serde_json::Value;

use example::lobby::Chat;
use example::model::{Message, MessageId, RoomId, UserId};
use example::policy::Policy;
use example::store::{Draft, Store};

const CORA: i64 = 1;
const ADA: i64 = 2;
const PIA: i64 = 3;
const MIA: i64 = 4;
const OTTO: i64 = 5;
const MO: i64 = 6;
const SAM: i64 = 7;
const ROOT: i64 = 8;

const GARDEN: i64 = 1;
const NEWS: i64 = 2;
const PRIVATE: i64 = 3;
const BACKSTAGE: i64 = 4;

/// A policy that replaces nothing.
struct Unchanged;

impl Policy for Unchanged {}

/// The example in its initial state.
struct Demo {
    store: Store,
    endpoint: Endpoint<Chat>,
}

impl Demo {
    fn new() -> Demo {
        Demo::with(Store::open(None).unwrap(), Unchanged)
    }

    fn with(store: Store, policy: impl Policy) -> Demo {
        Demo { endpoint: example::endpoint(store.clone(), policy), store }
    }

    /// Connects a user.
    async fn client(&self, user: i64) -> Client {
        let token = self.store.log_in(UserId(user)).unwrap().unwrap();
        connect(&self.endpoint).path(&format!("/ws?token={token}")).open().await.unwrap()
    }

    /// Connects a user that has a room open.
    async fn client_in_room(&self, user: i64, room: i64) -> Client {
        let mut client = self.client(user).await;
        assert_eq!(status(&mut client, "enter", room, "").await, 200);
        // The side effects of a reply have happened when the next reply arrives.
        status(&mut client, "read_room", room, "").await;
        client
    }

    fn say(&self, room: i64, author: i64, text: &str) -> Message {
        let (room, author) = (RoomId(room), UserId(author));
        self.store.say(&Draft { room, author, text, reply_to: None, forwarded: false }).unwrap()
    }

    fn text(&self, message: i64) -> String {
        self.store.message(MessageId(message)).unwrap().unwrap().text
    }
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

/// Calls an action on `rooms/{room}/`; `rest` has further arguments: `"text":"hi"`.
async fn status(client: &mut Client, action: &str, room: i64, rest: &str) -> u16 {
    status_of(client, action, &format!("rooms/{room}/"), rest).await
}

async fn status_of(client: &mut Client, action: &str, route: &str, rest: &str) -> u16 {
    reply(client, action, route, rest).await["status"].as_u64().unwrap().try_into().unwrap()
}

/// Calls an action and returns its reply. Events that arrive before the reply are kept.
async fn reply(client: &mut Client, action: &str, route: &str, rest: &str) -> Value {
    let arguments: serde_json::Map<String, Value> = serde_json::from_str(&format!("{{{rest}}}")).unwrap();
    let call =
        arguments.into_iter().fold(client.call(action).route(route), |call, (name, value)| call.with(&name, value));
    let mut reply = call.await.value().clone();
    // Removed so that equal replies can be compared.
    reply.as_object_mut().unwrap().remove("request_id");
    reply
}

/// Returns name and data of the next event.
async fn event(client: &mut Client) -> (String, Value) {
    let frame = client.reply().await.value().clone();
    let name = frame["event"].as_str().unwrap_or_else(|| panic!("no event: {frame}"));
    (name.to_owned(), frame["data"].clone())
}

#[test]
fn audit_of_the_example_matches_the_snapshot() {
    portcullis::assert_audit!("examples/chat/audit.snap");
}
