//! One side of a conversation by events of Portcullis.

use std::borrow::Cow;
use std::error::Error;

use axum::Router;
use axum::serve::ListenerExt as _;
use futures_util::{SinkExt as _, StreamExt as _};
use http::request::Parts;
use portcullis::{
    AllowAny, Context, Endpoint, Event, GrantSource, Group, NatsBroker, Propagation, Publisher, RedisBroker, User,
    UserGrants, consumer, websocket,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Direction, Note};

/// The users whose rights are changed, each of them connected to each process.
pub(crate) const USERS: u32 = 100;
/// The users that are connected to a process without a member of the group: so many that it is subscribed to all channels.
pub(crate) const IDLE_USERS: u32 = 1_000;

struct Service;

struct Member(u32);

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        self.0.to_string().into()
    }
}

/// Loads the rights of a user without a database, so that the change itself is measured.
struct Rights;

impl GrantSource<Member> for Rights {
    async fn load(&self, _: &Member) -> portcullis::Result<UserGrants> {
        Ok(UserGrants::default())
    }
}

#[derive(Debug, Serialize, Deserialize, Event)]
struct Sent {
    number: u32,
    wants_answer: bool,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(consumer = Service, permission = AllowAny, publish = members, events(Sent))]
struct Room(bool);

impl From<Direction> for Room {
    fn from(direction: Direction) -> Room {
        Room(direction == Direction::Request)
    }
}

#[consumer(user = Member)]
impl Service {
    #[event(permission = AllowAny)]
    fn sent(event: &Sent) -> &Sent {
        event
    }

    #[action(permission = AllowAny)]
    async fn watch(&self, cx: &Context<'_, Member>, out: bool) -> portcullis::Result<()> {
        cx.join(Room(out)).await
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) struct PortcullisPeer {
    endpoint: Endpoint<Service>,
    publisher: Publisher<Service>,
    member: Socket,
}

/// The user is the query. There are no passwords.
async fn authenticate(parts: &Parts) -> portcullis::Result<Option<Member>> {
    Ok(parts.uri.query().and_then(|query| query.parse().ok()).map(Member))
}

impl PortcullisPeer {
    /// Connects, and receives what is published in a direction, if any. As many users are connected.
    pub(crate) async fn connect(
        url: &str,
        prefix: &str,
        receives: Option<Direction>,
        users: u32,
    ) -> Result<PortcullisPeer, Box<dyn Error>> {
        let endpoint = websocket(Service).grants(Rights).authenticate(authenticate);
        let endpoint = if url.starts_with("redis") {
            endpoint.broker(RedisBroker::new(url, prefix)?)
        } else {
            endpoint.broker(NatsBroker::new(url, prefix)?)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("ws://{}/", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            // Without it, the measurement would include delays by Nagle's algorithm.
            let _ = stream.set_nodelay(true);
        });
        let app = Router::new().route("/", endpoint.clone().into_route());
        tokio::spawn(async move { axum::serve(listener, app).await });
        for user in 1..users {
            let (mut socket, _) = connect_async(format!("{address}?{user}")).await?;
            // Answers pings.
            tokio::spawn(async move { while socket.next().await.is_some() {} });
        }
        let (mut member, _) = connect_async(format!("{address}?0")).await?;
        if let Some(direction) = receives {
            let out = direction == Direction::Request;
            member.send(Message::text(format!(r#"{{"action":"watch","out":{out}}}"#))).await?;
            let reply = next(&mut member).await?;
            if reply["status"] != 200 {
                return Err(reply.to_string().into());
            }
        }
        let publisher = endpoint.publisher();
        Ok(PortcullisPeer { endpoint, publisher, member })
    }

    pub(crate) fn send(&self, direction: Direction, notes: Vec<Note>) {
        let room = Room::from(direction);
        for Note { number, wants_answer, text } in notes {
            self.publisher.publish(&room, Sent { number, wants_answer, text });
        }
    }

    pub(crate) async fn receive(&mut self) -> Result<Note, Box<dyn Error>> {
        Ok(Note::deserialize(&next(&mut self.member).await?["data"])?)
    }

    /// Reports that the rights of one of the users have changed.
    pub(crate) async fn refresh(&self, change: u32) -> Propagation {
        self.endpoint.connections().refresh_user(&(change % USERS).to_string()).await
    }
}

/// Returns the next frame.
async fn next(socket: &mut Socket) -> Result<Value, Box<dyn Error>> {
    loop {
        let message = socket.next().await.ok_or("the server has closed the connection")??;
        if let Message::Text(text) = message {
            return Ok(serde_json::from_str(&text)?);
        }
    }
}
