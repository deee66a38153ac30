//! Two processes of the chat example with one database.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use super::brokers::servers;
use crate::common::browser::{Process, serve_with};
use crate::common::clients::Socket;

/// The longest wait before a test fails. A change waits for up to 13 seconds until it is safe.
const PATIENCE: Duration = Duration::from_mins(1);

/// Users of the example, and a room that they are in.
pub(super) const CORA: u32 = 1;
const PIA: u32 = 3;
const GARDEN: &str = "rooms/1/";

/// Two processes.
pub(super) struct Chat {
    processes: [(Process, String); 2],
    database: PathBuf,
}

impl Chat {
    pub(super) async fn start(broker: &str, name: &str) -> Chat {
        let scheme = broker.split(':').next().unwrap();
        let database = std::env::temp_dir().join(format!("portcullis-{}-{name}-{scheme}.db", std::process::id()));
        let _ = std::fs::remove_file(&database);
        let arguments = ["--broker", broker, database.to_str().unwrap()];
        let (one, other) = tokio::join!(serve_with("chat", &arguments), serve_with("chat", &arguments));
        Chat { processes: [one, other], database }
    }

    /// Returns the address of the page of one of the processes.
    pub(super) fn address(&self, process: usize) -> &str {
        &self.processes[process].1
    }

    /// Connects a user to one of the processes, and enters the room.
    pub(super) async fn enter(&self, process: usize, user: u32) -> Socket {
        let host = self.processes[process].1.strip_prefix("http://").unwrap().trim_end_matches('/');
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!("POST /login/{user} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        let token: String = serde_json::from_str(response.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        let (mut socket, _) = connect_async(format!("ws://{host}/ws?token={token}")).await.unwrap();
        assert_eq!(call(&mut socket, "enter", GARDEN, json!({})).await["status"], 200);
        socket
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.database);
    }
}

async fn receive(socket: &mut Socket) -> Value {
    loop {
        let frame = timeout(PATIENCE, socket.next()).await.expect("nothing comes").unwrap().unwrap();
        // A ping is answered by the library.
        if let Message::Text(text) = frame {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

/// Calls an action and returns its reply. Events before it are dropped.
async fn call(socket: &mut Socket, action: &str, route: &str, arguments: Value) -> Value {
    let mut message = json!({ "action": action, "route": route, "request_id": action });
    message.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    socket.send(Message::text(message.to_string())).await.unwrap();
    loop {
        let frame = receive(socket).await;
        if frame["request_id"] == action {
            return frame;
        }
    }
}

pub(super) async fn send(socket: &mut Socket, text: &str) {
    assert_eq!(call(socket, "send", GARDEN, json!({ "text": text })).await["status"], 201);
}

/// Returns the names of the events, with the texts of messages, until one with this name.
async fn events_until(socket: &mut Socket, last: &str) -> Vec<String> {
    let mut events = Vec::new();
    loop {
        let event = receive(socket).await;
        let name = event["event"].as_str().unwrap_or_default();
        if name == last {
            return events;
        }
        events.push(format!("{name} {}", event["data"]["text"].as_str().unwrap_or_default()));
    }
}

#[tokio::test]
async fn processes_of_the_chat_are_one_chat() {
    for broker in servers().await {
        let chat = Chat::start(&broker, "one").await;
        let (mut cora, mut pia) = (chat.enter(0, CORA).await, chat.enter(1, PIA).await);
        send(&mut cora, "from the first process").await;
        let message = receive(&mut pia).await;
        assert_eq!(message["data"]["text"], "from the first process", "{broker}: {message}");
        send(&mut pia, "from the second process").await;
        events_until(&mut cora, "message_created").await;
    }
}

/// Calls `read_online` until it lists these users.
async fn expect_online(socket: &mut Socket, users: &[u32]) {
    let expected =
        json!(users.iter().map(|user| json!({ "user": user.to_string(), "connections": 1 })).collect::<Vec<_>>());
    let mut reply = Value::Null;
    let listed = async {
        while reply["data"] != expected {
            reply = call(socket, "read_online", GARDEN, json!({})).await;
        }
    };
    assert!(timeout(PATIENCE, listed).await.is_ok(), "{reply}");
}

#[tokio::test]
async fn user_that_has_a_room_open_in_one_process_is_listed_in_another() {
    for broker in servers().await {
        let chat = Chat::start(&broker, "online").await;
        let (mut cora, mut pia) = (chat.enter(0, CORA).await, chat.enter(1, PIA).await);
        expect_online(&mut cora, &[CORA, PIA]).await;
        expect_online(&mut pia, &[CORA, PIA]).await;
        drop(cora);
        expect_online(&mut pia, &[PIA]).await;
        let _cora = chat.enter(0, CORA).await;
        expect_online(&mut pia, &[CORA, PIA]).await;
    }
}

#[tokio::test]
async fn member_that_is_removed_in_one_process_receives_nothing_more_in_another() {
    for broker in servers().await {
        let chat = Chat::start(&broker, "removed").await;
        let (mut cora, mut pia) = (chat.enter(0, CORA).await, chat.enter(1, PIA).await);
        let removed = call(&mut cora, "remove", &format!("{GARDEN}members/"), json!({ "users": [PIA] })).await;
        assert_eq!(removed["status"], 204, "{broker}: {removed}");
        send(&mut cora, "not for Pia").await;
        let events = events_until(&mut pia, "room_left").await;
        assert!(!events.iter().any(|event| event.contains("not for Pia")), "{broker}: {events:?}");
        assert_eq!(call(&mut pia, "send", GARDEN, json!({ "text": "still here?" })).await["status"], 403, "{broker}");
    }
}

#[tokio::test]
async fn process_that_was_stopped_during_a_change_uses_no_right_from_before() {
    for broker in servers().await {
        let chat = Chat::start(&broker, "stopped").await;
        let (mut cora, mut pia) = (chat.enter(0, CORA).await, chat.enter(1, PIA).await);
        chat.processes[1].0.signal("STOP");
        // Completes when the change is safe without the other process.
        let removed = call(&mut cora, "remove", &format!("{GARDEN}members/"), json!({ "users": [PIA] })).await;
        assert_eq!(removed["status"], 204, "{broker}: {removed}");
        send(&mut cora, "not for Pia").await;
        // Waits in the stopped process for its first turn.
        let message = json!({ "action": "send", "route": GARDEN, "request_id": "late", "text": "still here?" });
        pia.send(Message::text(message.to_string())).await.unwrap();
        chat.processes[1].0.signal("CONT");
        loop {
            let frame = receive(&mut pia).await;
            assert_ne!(frame["data"]["text"], "not for Pia", "{broker}: {frame}");
            if frame["request_id"] == "late" {
                assert_eq!(frame["status"], 403, "{broker}: {frame}");
                break;
            }
        }
    }
}
