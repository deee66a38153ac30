//! The same server written by hand on axum's WebSocket and tuned: one task per connection, one flush for everything that is
//! ready, a small read buffer, arguments borrowed from the frame, checks inline. An event is encoded once, and the queues of
//! the members share its text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::world::{ROOMS, SaidView, Sent, World};

/// The capacity of a connection's queue of events, the same as in Portcullis.
const QUEUED_EVENTS: usize = 256;

/// A message, deserialized in one pass without a copy.
#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    route: Cow<'a, str>,
    request_id: Option<u64>,
    room_id: Option<u32>,
    #[serde(borrow)]
    text: Option<Text<'a>>,
    min_level: Option<u8>,
}

/// In an `Option`, a plain `Cow` would always be copied.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Serialize)]
struct Reply<'a> {
    errors: &'a [Refusal],
    data: Option<Sent>,
    action: &'a str,
    route: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<u64>,
}

#[derive(Serialize)]
struct Event<'a> {
    event: &'a str,
    data: SaidView<'a>,
}

#[derive(Serialize)]
struct Refusal {
    #[serde(skip)]
    status: u16,
    code: &'static str,
    detail: &'static str,
}

const DENIED: Refusal = Refusal { status: 403, code: "permission_denied", detail: "Permission denied." };
const NOT_FOUND: Refusal = Refusal { status: 404, code: "not_found", detail: "Not found." };
const UNKNOWN: Refusal = Refusal { status: 405, code: "unknown_action", detail: "Unknown action." };
const NO_TEXT: Refusal = Refusal { status: 400, code: "bad_request", detail: "A message needs some text." };
const NO_ROOM: Refusal = Refusal { status: 400, code: "missing_argument", detail: "Missing argument `room_id`." };
const MALFORMED: &str =
    r#"{"errors":[{"code":"malformed_message","detail":"Malformed message."}],"data":null,"status":400}"#;

/// What the stream of a socket yields.
type Received = Option<Result<Message, axum::Error>>;

struct App {
    world: Arc<World>,
    /// The subscribers of each room.
    rooms: Vec<RwLock<HashMap<u64, Subscriber>>>,
    connections: AtomicU64,
}

struct Subscriber {
    level: u8,
    events: mpsc::Sender<Utf8Bytes>,
}

struct Connection {
    app: Arc<App>,
    id: u64,
    user: u32,
    joined: Vec<u32>,
    /// The queue of events, from the first room on that the connection joins.
    queue: Option<(mpsc::Sender<Utf8Bytes>, mpsc::Receiver<Utf8Bytes>)>,
}

impl Connection {
    fn answer(&mut self, text: &str) -> Utf8Bytes {
        let Ok(message) = serde_json::from_str::<Incoming<'_>>(text) else { return MALFORMED.into() };
        let (status, data, refusal) = match self.act(&message) {
            Ok(sent) => (200, sent, None),
            Err(refusal) => (refusal.status, None, Some(refusal)),
        };
        let reply = Reply {
            errors: refusal.as_slice(),
            data,
            action: &message.action,
            route: &message.route,
            status,
            request_id: message.request_id,
        };
        serde_json::to_string(&reply).unwrap_or_default().into()
    }

    fn act(&mut self, message: &Incoming<'_>) -> Result<Option<Sent>, Refusal> {
        let room = room(message)?;
        if !self.app.world.is_member(room, self.user) {
            return Err(DENIED);
        }
        match &*message.action {
            "send_message" => {
                spoken(message)?;
                Ok(Some(self.app.world.send()))
            }
            "publish" => self.publish(room, spoken(message)?, message.min_level.unwrap_or(0)).map(Some),
            "join" => self.join(room).map(|()| None),
            _ => Err(UNKNOWN),
        }
    }

    fn publish(&self, room_id: u32, text: &str, min_level: u8) -> Result<Sent, Refusal> {
        let sent = self.app.world.send();
        let data = SaidView { room_id, user: self.user, id: sent.id, text };
        let frame = serde_json::to_string(&Event { event: "said", data }).unwrap_or_default();
        let frame = Utf8Bytes::from(frame);
        let subscribers = self.app.rooms.get(room_id as usize).ok_or(NOT_FOUND)?;
        let subscribers = subscribers.read().unwrap_or_else(PoisonError::into_inner);
        for subscriber in subscribers.values().filter(|subscriber| subscriber.level >= min_level) {
            // A subscriber that does not read loses events and does not delay the others.
            let _ = subscriber.events.try_send(frame.clone());
        }
        Ok(sent)
    }

    fn join(&mut self, room: u32) -> Result<(), Refusal> {
        let subscribers = self.app.rooms.get(room as usize).ok_or(NOT_FOUND)?;
        let (events, _) = self.queue.get_or_insert_with(|| mpsc::channel(QUEUED_EVENTS));
        let subscriber = Subscriber { level: World::level(self.user), events: events.clone() };
        subscribers.write().unwrap_or_else(PoisonError::into_inner).insert(self.id, subscriber);
        self.joined.push(room);
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for room in &self.joined {
            self.app.rooms[*room as usize].write().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        }
    }
}

fn spoken<'a>(message: &'a Incoming<'_>) -> Result<&'a str, Refusal> {
    match &message.text {
        Some(Text(text)) if !text.is_empty() => Ok(text),
        _ => Err(NO_TEXT),
    }
}

/// The room that the route names, or, on the route `chat`, an argument.
fn room(message: &Incoming<'_>) -> Result<u32, Refusal> {
    match message.route.strip_prefix("rooms/").and_then(|rest| rest.strip_suffix('/')) {
        Some(room) => room.parse().map_err(|_| NOT_FOUND),
        None if message.route == "chat" => message.room_id.ok_or(NO_ROOM),
        None => Err(NOT_FOUND),
    }
}

async fn serve(mut socket: WebSocket, mut connection: Connection) {
    loop {
        // A connection that has joined no room has no queue, and does not pay for one.
        let (event, message) = match &mut connection.queue {
            None => (None, Some(socket.next().await)),
            Some((_, events)) => tokio::select! {
                biased;
                event = events.recv() => (event, None),
                message = socket.next() => (None, Some(message)),
            },
        };
        let is_open = match message {
            Some(message) => feed_replies(&mut socket, &mut connection, message).await,
            None => feed_events(&mut socket, &mut connection, event).await,
        };
        if !is_open || socket.flush().await.is_err() {
            return;
        }
    }
}

/// Feeds the replies to a message and to those that have arrived with it. Returns whether the connection is open.
async fn feed_replies(socket: &mut WebSocket, connection: &mut Connection, first: Received) -> bool {
    let mut next = Some(first);
    while let Some(message) = next {
        match message {
            Some(Ok(Message::Text(text))) => {
                if socket.feed(Message::Text(connection.answer(&text))).await.is_err() {
                    return false;
                }
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
            Some(Ok(_)) => {}
        }
        next = socket.next().now_or_never();
    }
    true
}

/// Feeds an event and those that are queued behind it. Returns whether the connection is open.
async fn feed_events(socket: &mut WebSocket, connection: &mut Connection, first: Option<Utf8Bytes>) -> bool {
    let mut next = first;
    while let Some(event) = next {
        if socket.feed(Message::Text(event)).await.is_err() {
            return false;
        }
        next = connection.queue.as_mut().and_then(|(_, events)| events.try_recv().ok());
    }
    true
}

async fn connect(State(app): State<Arc<App>>, RawQuery(query): RawQuery, upgrade: WebSocketUpgrade) -> Response {
    match app.world.login(query.as_deref()) {
        Some(user) => upgrade.read_buffer_size(4 * 1024).max_message_size(64 * 1024).on_upgrade(move |socket| {
            let id = app.connections.fetch_add(1, Ordering::Relaxed);
            serve(socket, Connection { app, id, user, joined: Vec::new(), queue: None })
        }),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

pub(crate) fn app() -> Router {
    let rooms = (0..ROOMS).map(|_| RwLock::default()).collect();
    let app = App { world: World::new(), rooms, connections: AtomicU64::new(0) };
    Router::new().route("/ws", any(connect)).with_state(Arc::new(app))
}
