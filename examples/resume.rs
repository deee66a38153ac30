//! Shows: a client whose connection is lost, and that receives what it has missed when it is back, as far as it may see it.
//! Run:   `cargo run --example resume`
//! Type:  nothing; the program is server and client.

use std::borrow::Cow;
use std::error::Error;
use std::time::{Duration, SystemTime};

use futures_util::{SinkExt as _, StreamExt as _};
use portcullis::http::request::Parts;
use portcullis::{
    Context, DenyAll, Event, EventPermission, Group, IsAuthenticated, Position, Result, Resumed, Scope, User, consumer,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

struct Member {
    name: String,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.name)
    }
}

/// A line in a room, for one member only if it is whispered.
#[derive(Serialize, Deserialize, Event)]
struct Said {
    text: String,
    to: Option<String>,
}

/// Holds for the members that a line is for. Evaluated for each replayed event, too.
struct IsMeant;

impl EventPermission<Said, Chat> for IsMeant {
    fn may_see(&self, _: &Chat, scope: &Scope<Member>, event: &Said) -> bool {
        event.to.is_none() || scope.user().map(|user| &user.name) == event.to.as_ref()
    }
}

/// The last 20 events are kept for up to ten minutes.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = IsAuthenticated,
    publish = DenyAll,
    events(Said),
    history(events = 20, age = "10m", since = Room::member_since)
)]
struct Room(u32);

impl Room {
    /// Returns when the user joined; earlier events are not replayed. An application reads it from its database.
    async fn member_since(&self, chat: &Chat, _: &Scope<Member>) -> Result<SystemTime> {
        Ok(chat.opened_at)
    }
}

struct Chat {
    opened_at: SystemTime,
}

#[consumer(user = Member)]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn enter(&self, cx: &Context<'_, Member>, room: u32, position: Option<Position>) -> Result<Resumed> {
        cx.join_from(Room(room), position).await
    }

    #[event(permission = IsMeant)]
    fn said(event: &Said) -> &str {
        &event.text
    }
}

/// Trusts the name in the query. A real server would look up the login session here.
async fn by_name(parts: &Parts) -> Result<Option<Member>> {
    let name = parts.uri.query().and_then(|query| query.strip_prefix("name="));
    Ok(name.map(|name| Member { name: name.to_owned() }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let chat = portcullis::websocket(Chat { opened_at: SystemTime::now() - Duration::from_secs(1) });
    let chat = chat.authenticate(by_name);
    let publisher = chat.publisher();
    let say = |text: &str, to: Option<&str>| {
        println!("   the server publishes {text:?}{}", to.map(|to| format!(" to {to}")).unwrap_or_default());
        publisher.publish(&Room(5), Said { text: text.to_owned(), to: to.map(str::to_owned) });
    };
    let app = axum::Router::new().route("/ws", chat.into_route());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    let mut client = Client::connect(&address.to_string()).await?;
    client.enter(None).await?;
    say("hello", None);
    let position = client.receive().await?["position"].clone();
    println!("   the connection is lost");
    drop(client);
    say("are you there?", None);
    say("ada does not read this", Some("grace"));
    say("only for you", Some("ada"));

    let mut client = Client::connect(&address.to_string()).await?;
    client.enter(Some(position)).await?;
    client.receive().await?;
    client.receive().await?;
    say("welcome back", None);
    client.receive().await?;
    Ok(())
}

/// A client that prints its frames.
struct Client(tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>);

impl Client {
    async fn connect(address: &str) -> Result<Client, Box<dyn Error>> {
        Ok(Client(tokio_tungstenite::connect_async(format!("ws://{address}/ws?name=ada")).await?.0))
    }

    /// Enters the room from the position that it has had last.
    async fn enter(&mut self, position: Option<Value>) -> Result<(), Box<dyn Error>> {
        let mut message = json!({ "action": "enter", "room": 5 });
        if let Some(position) = position {
            message["position"] = position;
        }
        println!("-> {}", shortened(&message));
        self.0.send(Message::text(message.to_string())).await?;
        self.receive().await.map(|_| ())
    }

    async fn receive(&mut self) -> Result<Value, Box<dyn Error>> {
        let frame = self.0.next().await.ok_or("the connection was closed")??;
        let frame = serde_json::from_str(frame.to_text()?)?;
        println!("<- {}", shortened(&frame));
        Ok(frame)
    }
}

/// Returns a frame as text, with `…` for the position: it is another text each time.
fn shortened(frame: &Value) -> String {
    let mut frame = frame.clone();
    for pointer in ["/position", "/data/position"] {
        if let Some(position) = frame.pointer_mut(pointer) {
            *position = "…".into();
        }
    }
    frame.to_string()
}
