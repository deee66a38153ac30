//! A client who does not read, over a real socket: what was joined is heard of after the reply that says so, what it may
//! send has bounds, and its time runs out all the same.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use futures_util::{SinkExt, StreamExt};
use portcullis::{Connections, Limits, Publisher};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{House, Lobby, Page, Room, Said, Search, Truth, desk};

/// How many pages fill the buffers of whoever does not read, and more.
const PAGES: usize = 64;

struct Server {
    truth: Arc<Truth>,
    publisher: Publisher<House>,
    sessions: Connections<House>,
    address: String,
}

async fn serve() -> Server {
    let long = Duration::from_hours(1);
    let limits = Limits {
        max_queued_events: 1000,
        max_queued_bytes: usize::MAX,
        ping_interval: long,
        idle_timeout: long,
        send_timeout: long,
        action_timeout: long,
        ..Limits::default()
    };
    let (truth, desk) = desk();
    let desk = desk.limits(limits);
    let (publisher, sessions) = (desk.publisher(), desk.connections());
    let app = Router::new().route("/ws", desk.into_route());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("ws://{}/ws", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    Server { truth, publisher, sessions, address }
}

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects, and waits until it is a member.
    async fn open(server: &Server) -> Socket {
        let mut socket = Socket(connect_async(&server.address).await.unwrap().0);
        socket.send(r#"{"action":"ping"}"#).await;
        socket.next().await;
        socket
    }

    async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next frame.
    async fn next(&mut self) -> Value {
        let frame = timeout(Duration::from_mins(1), self.0.next()).await.expect("something comes");
        serde_json::from_str(frame.unwrap().unwrap().to_text().unwrap()).unwrap()
    }

    /// The next frame that is no page.
    async fn word(&mut self) -> Value {
        loop {
            let frame = self.next().await;
            if frame["event"] != "page" {
                return frame;
            }
        }
    }
}

impl Server {
    /// Goes on until the buffers of whoever does not read must be full.
    async fn fill(&self) {
        let mut reading = Socket::open(self).await;
        for _ in 0..PAGES {
            self.publisher.publish(&Lobby, Page);
            assert_eq!(reading.next().await["event"], "page");
        }
        drop(reading);
        self.truth.gone.notified().await;
    }

    /// Somebody who does not read, amid the actions of these messages.
    async fn stuck_amid(&self, messages: &[&str]) -> Socket {
        let mut stuck = Socket::open(self).await;
        for message in messages {
            stuck.send(message).await;
            self.truth.begun.notified().await;
        }
        self.fill().await;
        stuck
    }
}

#[tokio::test]
async fn event_of_a_joined_group_is_withheld_while_its_action_is_reauthorized() {
    let server = serve().await;
    let truth = &server.truth;
    let mut stuck = server.stuck_amid(&[r#"{"action":"enter_asked"}"#]).await;
    truth.go_on.notify_one();
    truth.done.notified().await;
    truth.permission.send_replace(false);
    truth.denied.store(true, Ordering::SeqCst);
    server.sessions.refresh_all().await;
    server.publisher.publish(&Room(1), Said(1));
    // Whatever comes until it is asked.
    while let Ok(frame) = timeout(Duration::from_millis(200), stuck.next()).await {
        assert_eq!(frame["event"], "page", "{frame}");
    }
    truth.permission.send_replace(true);
    let reply = stuck.word().await;
    assert_eq!((&reply["action"], &reply["status"]), (&"enter_asked".into(), &403.into()));
    stuck.send(r#"{"action":"ping"}"#).await;
    assert_eq!(stuck.word().await["action"], "ping");
}

#[tokio::test]
async fn event_of_a_group_joined_by_a_detached_action_follows_its_reply() {
    let server = serve().await;
    let truth = &server.truth;
    let mut stuck = server.stuck_amid(&[r#"{"action":"enter_and_look_beside"}"#, r#"{"action":"hold"}"#]).await;
    truth.looked.notify_one();
    // It reads until the action has taken effect.
    while truth.find(|| server.publisher.publish(&Room(1), Search)) == 0 {
        let frame = stuck.next().await;
        assert_eq!(frame["event"], "page", "{frame}");
    }
    // Another reply comes between.
    truth.go_on.notify_one();
    truth.done.notified().await;
    server.publisher.publish(&Room(1), Said(1));
    let mut words = Vec::new();
    for _ in 0..3 {
        words.push(stuck.word().await);
    }
    let at = |key: &str, name: &str| words.iter().position(|word| word[key] == name).unwrap();
    assert!(at("action", "enter_and_look_beside") < at("event", "said"), "{words:?}");
}

#[tokio::test]
async fn slow_reader_can_send_a_bounded_number_of_messages() {
    let server = serve().await;
    let mut stuck = server.stuck_amid(&[r#"{"action":"hold"}"#]).await;
    let user = "7".repeat(60_000);
    let message = format!(r#"{{"action":"authenticate","token":"{user}"}}"#);
    let mut taken = 0;
    while timeout(Duration::from_millis(500), stuck.send(&message)).await.is_ok() {
        taken += 1;
        assert!(taken < 1000, "messages of somebody who reads nothing");
        // Not faster than they can be looked at.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn credentials_of_a_slow_reader_expire() {
    let server = serve().await;
    let mut stuck = server.stuck_amid(&[r#"{"action":"hold"}"#]).await;
    stuck.send(r#"{"action":"authenticate","token":"7 none 1"}"#).await;
    let gone = timeout(Duration::from_secs(5), server.truth.gone.notified());
    gone.await.expect("the action ends with its caller's time");
}
