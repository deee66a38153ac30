//! The same server written by hand on axum's WebSocket and tuned: one task per connection, one flush for everything that is
//! ready, a small read buffer, arguments borrowed from the frame, checks inline.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde::{Deserialize, Serialize};

use super::world::{Sent, World};

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

struct Connection {
    world: Arc<World>,
    user: u32,
}

impl Connection {
    fn answer(&self, text: &str) -> Utf8Bytes {
        let Ok(message) = serde_json::from_str::<Incoming<'_>>(text) else { return MALFORMED.into() };
        let (status, data, refusal) = match self.act(&message) {
            Ok(sent) => (200, Some(sent), None),
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

    fn act(&self, message: &Incoming<'_>) -> Result<Sent, Refusal> {
        let room = room(message)?;
        if !self.world.is_member(room, self.user) {
            return Err(DENIED);
        }
        match &*message.action {
            "send_message" => match &message.text {
                Some(Text(text)) if !text.is_empty() => Ok(self.world.send()),
                _ => Err(NO_TEXT),
            },
            _ => Err(UNKNOWN),
        }
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

async fn serve(mut socket: WebSocket, connection: Connection) {
    loop {
        let mut next = Some(socket.next().await);
        while let Some(message) = next {
            match message {
                Some(Ok(Message::Text(text))) => {
                    if socket.feed(Message::Text(connection.answer(&text))).await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            }
            next = socket.next().now_or_never();
        }
        if socket.flush().await.is_err() {
            return;
        }
    }
}

async fn connect(State(world): State<Arc<World>>, RawQuery(query): RawQuery, upgrade: WebSocketUpgrade) -> Response {
    match world.login(query.as_deref()) {
        Some(user) => upgrade
            .read_buffer_size(4 * 1024)
            .max_message_size(64 * 1024)
            .on_upgrade(move |socket| serve(socket, Connection { world, user })),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

pub(crate) fn app() -> Router {
    Router::new().route("/ws", any(connect)).with_state(World::new())
}
