//! A slow reader over a real socket: events of a joined group follow the reply, the number of messages that it can send
//! is bounded, and its credentials expire.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use portcullis::{Connections, Limits, Publisher};
use serde_json::Value;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{House, Lobby, Page, Room, Said, Search, State, house};
use crate::common::clients::{self, connect_member};
use crate::common::limits::without_timeouts;

/// More pages than the buffers of a slow reader hold.
const PAGES: usize = 64;

struct Server {
    state: Arc<State>,
    publisher: Publisher<House>,
    connections: Connections<House>,
    address: String,
}

async fn serve() -> Server {
    let limits = Limits { max_queued_events: 1000, max_queued_bytes: usize::MAX, ..without_timeouts() };
    let (state, house) = house();
    let house = house.limits(limits);
    let (publisher, connections) = (house.publisher(), house.connections());
    let address = clients::serve(house).await;
    Server { state, publisher, connections, address }
}

struct Socket(clients::Socket);

impl Socket {
    /// Connects and waits until the connection is a member.
    async fn open(server: &Server) -> Socket {
        Socket(connect_member(&server.address).await)
    }

    async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// Returns the next frame.
    async fn next(&mut self) -> Value {
        let frame = timeout(Duration::from_mins(1), self.0.next()).await.expect("a frame arrives");
        serde_json::from_str(frame.unwrap().unwrap().to_text().unwrap()).unwrap()
    }

    /// Returns the next frame that is no page.
    async fn next_non_page(&mut self) -> Value {
        loop {
            let frame = self.next().await;
            if frame["event"] != "page" {
                return frame;
            }
        }
    }
}

impl Server {
    /// Publishes until the buffers of a slow reader are full.
    async fn fill_buffers(&self) {
        let mut reading = Socket::open(self).await;
        for _ in 0..PAGES {
            self.publisher.publish(&Lobby, Page);
            assert_eq!(reading.next().await["event"], "page");
        }
        drop(reading);
        self.state.disconnected.notified().await;
    }

    /// Connects a slow reader and begins the actions of these messages.
    async fn connect_and_stall(&self, messages: &[&str]) -> Socket {
        let mut stuck = Socket::open(self).await;
        for message in messages {
            stuck.send(message).await;
            self.state.started.notified().await;
        }
        self.fill_buffers().await;
        stuck
    }
}

#[tokio::test]
async fn event_of_a_joined_group_is_withheld_while_its_action_is_reauthorized() {
    let server = serve().await;
    let state = &server.state;
    let mut stuck = server.connect_and_stall(&[r#"{"action":"enter_asked"}"#]).await;
    state.resume.notify_one();
    state.finished.notified().await;
    state.permission_open.send_replace(false);
    state.is_denied.store(true, Ordering::SeqCst);
    assert!(server.connections.refresh_all().revalidated().await.is_acknowledged());
    server.publisher.publish(&Room(1), Said(1));
    // Frames that arrive before the evaluation.
    while let Ok(frame) = timeout(Duration::from_millis(200), stuck.next()).await {
        assert_eq!(frame["event"], "page", "{frame}");
    }
    state.permission_open.send_replace(true);
    let reply = stuck.next_non_page().await;
    assert_eq!((&reply["action"], &reply["status"]), (&"enter_asked".into(), &403.into()));
    stuck.send(r#"{"action":"ping"}"#).await;
    assert_eq!(stuck.next_non_page().await["action"], "ping");
}

#[tokio::test]
async fn event_of_a_group_joined_by_a_detached_action_follows_its_reply() {
    let server = serve().await;
    let state = &server.state;
    let mut stuck =
        server.connect_and_stall(&[r#"{"action":"enter_and_look_detached"}"#, r#"{"action":"hold"}"#]).await;
    state.authenticate_permit.notify_one();
    // Read until the action has taken effect.
    while state.find(|| server.publisher.publish(&Room(1), Search)) == 0 {
        let frame = stuck.next().await;
        assert_eq!(frame["event"], "page", "{frame}");
    }
    // Another reply is sent in between.
    state.resume.notify_one();
    state.finished.notified().await;
    server.publisher.publish(&Room(1), Said(1));
    let mut words = Vec::new();
    for _ in 0..3 {
        words.push(stuck.next_non_page().await);
    }
    let at = |key: &str, name: &str| words.iter().position(|next_non_page| next_non_page[key] == name).unwrap();
    assert!(at("action", "enter_and_look_detached") < at("event", "said"), "{words:?}");
}

#[tokio::test]
async fn event_of_a_group_joined_by_a_detached_action_follows_its_reply_if_another_action_publishes() {
    let server = serve().await;
    let state = &server.state;
    let mut stuck = server.connect_and_stall(&[r#"{"action":"enter_and_look_detached"}"#, r#"{"action":"say"}"#]).await;
    state.authenticate_permit.notify_one();
    // Read until the action has taken effect.
    while state.find(|| server.publisher.publish(&Room(1), Search)) == 0 {
        let frame = stuck.next().await;
        assert_eq!(frame["event"], "page", "{frame}");
    }
    server.publisher.publish(&Room(1), Said(9));
    // The publication of `say` follows its reply, and the event above comes before both.
    state.resume.notify_one();
    state.finished.notified().await;
    let mut frames = Vec::new();
    for _ in 0..4 {
        frames.push(stuck.next_non_page().await);
    }
    let at = |key: &str, value: Value| frames.iter().position(|frame| frame[key] == value).unwrap();
    assert!(at("action", "enter_and_look_detached".into()) < at("data", 9.into()), "{frames:?}");
    assert!(at("action", "say".into()) < at("data", 1.into()), "{frames:?}");
}

#[tokio::test]
async fn event_of_a_group_joined_by_a_detached_action_follows_its_reply_if_that_is_reauthorized() {
    let server = serve().await;
    let state = &server.state;
    let mut stuck =
        server.connect_and_stall(&[r#"{"action":"enter_asked_detached"}"#, r#"{"action":"say_detached"}"#]).await;
    state.resume.notify_one();
    state.finished.notified().await;
    // Read until the first action has taken effect.
    while state.find(|| server.publisher.publish(&Room(1), Search)) == 0 {
        let frame = stuck.next().await;
        assert_eq!(frame["event"], "page", "{frame}");
    }
    state.permission_open.send_replace(false);
    assert!(server.connections.refresh_all().revalidated().await.is_acknowledged());
    server.publisher.publish(&Room(1), Said(9));
    state.resume.notify_one();
    state.finished.notified().await;
    // Frames that arrive before the evaluation.
    while let Ok(frame) = timeout(Duration::from_millis(200), stuck.next()).await {
        assert_eq!(frame["event"], "page", "{frame}");
    }
    state.permission_open.send_replace(true);
    let mut frames = Vec::new();
    for _ in 0..4 {
        frames.push(stuck.next_non_page().await);
    }
    let at = |key: &str, value: Value| frames.iter().position(|frame| frame[key] == value).unwrap();
    assert!(at("action", "enter_asked_detached".into()) < at("data", 9.into()), "{frames:?}");
    assert!(at("action", "say_detached".into()) < at("data", 1.into()), "{frames:?}");
}

#[tokio::test]
async fn slow_reader_can_send_a_bounded_number_of_messages() {
    let server = serve().await;
    let mut stuck = server.connect_and_stall(&[r#"{"action":"hold"}"#]).await;
    let user = "7".repeat(60_000);
    let message = format!(r#"{{"action":"authenticate","token":"{user}"}}"#);
    let mut taken = 0;
    while timeout(Duration::from_millis(500), stuck.send(&message)).await.is_ok() {
        taken += 1;
        assert!(taken < 1000, "messages of a slow reader");
        // Not faster than the server handles them.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn credentials_of_a_slow_reader_expire() {
    let server = serve().await;
    let mut stuck = server.connect_and_stall(&[r#"{"action":"hold"}"#]).await;
    stuck.send(r#"{"action":"authenticate","token":"7 none 1"}"#).await;
    let ended = async {
        while server.state.find(|| server.publisher.publish(&Lobby, Search)) > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), ended).await.expect("the connection ends when its credentials expire");
    server.state.resume.notify_one();
    server.state.disconnected.notified().await;
}
