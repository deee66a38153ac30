//! Groups with a history: connections that resume where they were, on one machine and over each broker.

#[path = "../cluster/brokers.rs"]
mod brokers;
#[path = "../common/mod.rs"]
mod common;

mod machines;
mod permissions;
mod races;
mod replay;
mod slow_reader;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::SystemTime;

use portcullis::testing::{Client, Reply, connect};
use portcullis::{
    AllowAny, Context, Endpoint, Error, Event, EventPermission, Group, GroupPermission, IsAuthenticated, Position,
    Publisher, RequestId, Result, Resumed, Scope, consumer,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::common::{Member, member};

/// What the machines share: the database of the service.
#[derive(Default)]
struct Database {
    /// Since when users are in rooms. Others have always been.
    let_in_at: Mutex<HashMap<u32, SystemTime>>,
    /// The users that may not be in rooms.
    banned: Mutex<HashSet<u32>>,
    /// The users that may see secrets.
    insiders: Mutex<HashSet<u32>>,
    /// Publishes an answer to each event that is seen.
    answers_by: OnceLock<Publisher<Service>>,
    /// Notified when `enter_and_wait` has joined.
    has_joined: Notify,
    /// Lets `enter_and_wait` end.
    may_end: Notify,
}

struct Service {
    database: Arc<Database>,
}

struct IsAdmitted;

impl<G: Sync> GroupPermission<G, Service> for IsAdmitted {
    async fn may_join(&self, service: &Service, scope: &Scope<Member>, _: &G) -> Result<bool> {
        Ok(scope.user().is_some_and(|user| !service.database.banned.lock().unwrap().contains(&user.id)))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Event)]
struct Said {
    text: String,
    is_secret: bool,
}

/// Holds unless the event is a secret and the user is no insider.
struct IsMeant;

impl EventPermission<Said, Service> for IsMeant {
    fn may_see(&self, service: &Service, scope: &Scope<Member>, event: &Said) -> bool {
        let is_insider = |user: &Member| service.database.insiders.lock().unwrap().contains(&user.id);
        !event.is_secret || scope.user().is_some_and(is_insider)
    }
}

/// An event with another frame per subscriber.
#[derive(Debug, Serialize, Deserialize, Event)]
struct Greeted(String);

/// An event that is answered while it is delivered.
#[derive(Debug, Serialize, Deserialize, Event)]
struct Asked(u32);

/// Publishes an answer while it is evaluated.
struct AnswersOnce;

impl EventPermission<Asked, Service> for AnswersOnce {
    fn may_see(&self, service: &Service, _: &Scope<Member>, event: &Asked) -> bool {
        if let Some(publisher) = service.database.answers_by.get()
            && event.0 > 0
        {
            publisher.publish(&room("5"), Asked(event.0 - 1));
        }
        true
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(
    consumer = Service,
    permission = IsAdmitted,
    publish = members,
    events(Said, Greeted, Asked),
    public_name = "rooms/{0}",
    history(events = 8, age = "10m", since = Room::member_since),
)]
struct Room(String);

impl Room {
    async fn member_since(&self, service: &Service, scope: &Scope<Member>) -> Result<SystemTime> {
        if self.0 == "broken" {
            return Err(Error::internal("the database is gone"));
        }
        let let_in_at = service.database.let_in_at.lock().unwrap();
        let user = scope.user().and_then(|user| let_in_at.get(&user.id).copied());
        Ok(user.unwrap_or(SystemTime::UNIX_EPOCH))
    }
}

/// A room with a long history.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(
    consumer = Service,
    permission = IsAdmitted,
    publish = AllowAny,
    events(Said),
    history(events = 5_000, age = "1h", since = AllowAny),
)]
struct Archive(u32);

fn room(name: &str) -> Room {
    Room(name.to_owned())
}

#[consumer(user = Member)]
impl Service {
    #[event(permission = IsMeant)]
    fn said(event: &Said) -> &str {
        &event.text
    }

    #[event(permission = AllowAny)]
    fn greeted(&self, event: &Greeted, scope: &Scope<Member>) -> Option<String> {
        Some(format!("{} {}", event.0, scope.user()?.id))
    }

    #[event(permission = AnswersOnce)]
    fn asked(event: &Asked) -> u32 {
        event.0
    }

    #[action(permission = IsAuthenticated)]
    async fn enter(&self, cx: &Context<'_, Member>, room: String, position: Option<Position>) -> Result<Resumed> {
        cx.join_from(Room(room), position).await
    }

    #[action(permission = IsAuthenticated)]
    async fn watch(&self, cx: &Context<'_, Member>, room: String, position: Option<Position>) -> Result<Resumed> {
        cx.subscribe_from(Room(room), position).await
    }

    #[action(permission = IsAuthenticated)]
    async fn read(&self, cx: &Context<'_, Member>, archive: u32, position: Option<Position>) -> Result<Resumed> {
        cx.join_from(Archive(archive), position).await
    }

    #[action(permission = IsAuthenticated)]
    async fn enter_plainly(&self, cx: &Context<'_, Member>, room: String) -> Result<()> {
        cx.join(Room(room)).await
    }

    #[action(permission = IsAuthenticated)]
    async fn enter_twice(&self, cx: &Context<'_, Member>, room: String) -> Result<Resumed> {
        cx.join_from(Room(room.clone()), None).await?;
        cx.join_from(Room(room), None).await
    }

    #[action(permission = IsAuthenticated)]
    async fn return_at_once(&self, cx: &Context<'_, Member>, room: String) -> Result<Resumed> {
        cx.leave(Room(room.clone()))?;
        cx.join_from(Room(room), None).await
    }

    #[action(permission = IsAuthenticated, detached)]
    async fn enter_and_wait(
        &self,
        cx: &Context<'_, Member>,
        room: String,
        position: Option<Position>,
    ) -> Result<Resumed> {
        let resumed = cx.join_from(Room(room), position).await?;
        self.database.has_joined.notify_one();
        self.database.may_end.notified().await;
        Ok(resumed)
    }

    #[action(permission = IsAuthenticated)]
    async fn enter_in_vain(&self, cx: &Context<'_, Member>, room: String) -> Result<()> {
        cx.join_from(Room(room), None).await?;
        Err(Error::internal("it fails after it has joined"))
    }

    #[action(permission = IsAuthenticated)]
    async fn exit(&self, cx: &Context<'_, Member>, room: String) -> Result<()> {
        cx.leave(Room(room))
    }

    #[action(permission = IsAuthenticated)]
    async fn say(&self, cx: &Context<'_, Member>, room: String, text: String) -> Result<()> {
        cx.publish(Room(room), Said { text, is_secret: false }).await
    }

    #[action(permission = IsAuthenticated)]
    async fn say_to_others(&self, cx: &Context<'_, Member>, room: String, text: String) -> Result<()> {
        cx.publish_to_others(Room(room), Said { text, is_secret: false }).await
    }

    #[action(permission = IsAuthenticated)]
    async fn unwatch(&self, cx: &Context<'_, Member>, room: String, subscription: RequestId) -> Result<()> {
        cx.unsubscribe(Room(room), subscription)
    }
}

fn endpoint_with(database: &Arc<Database>) -> Endpoint<Service> {
    portcullis::websocket(Service { database: database.clone() })
}

fn endpoint() -> Endpoint<Service> {
    endpoint_with(&Arc::default())
}

async fn open(endpoint: &Endpoint<Service>, id: u32) -> Client {
    connect(endpoint).user(member(id, &[])).open().await.unwrap()
}

/// Calls an action that joins the room `5` from a position, and returns its data.
async fn join(client: &mut Client, action: &str, position: &Value) -> Value {
    let reply = client.call(action).with("room", "5").with("position", position).await;
    assert_eq!(reply.status(), 200, "{reply:?}");
    reply.data().clone()
}

/// Opens a connection of a user in the room `5`, and returns it with the position at which it has entered.
async fn enter(endpoint: &Endpoint<Service>, id: u32) -> (Client, Value) {
    let mut client = open(endpoint, id).await;
    let resumed = join(&mut client, "enter", &Value::Null).await;
    assert_eq!(resumed["recovered"], false);
    (client, resumed["position"].clone())
}

/// Opens a connection of a user that resumes the room `5`. Returns it, and whether it has recovered.
async fn resume(endpoint: &Endpoint<Service>, id: u32, position: &Value) -> (Client, bool) {
    let mut client = open(endpoint, id).await;
    let resumed = join(&mut client, "enter", position).await;
    let has_recovered = resumed["recovered"].as_bool().unwrap();
    (client, has_recovered)
}

/// Sends a call of `enter_and_wait`, and waits until it has joined the room `5`.
async fn enter_and_wait(database: &Database, client: &mut Client, position: &Value) {
    let request = serde_json::json!({ "action": "enter_and_wait", "room": "5", "position": position, "request_id": 1 });
    client.send(request.to_string());
    database.has_joined.notified().await;
}

fn say(endpoint: &Endpoint<Service>, text: &str) {
    endpoint.publisher().publish(&room("5"), Said { text: text.to_owned(), is_secret: false });
}

fn say_secretly(endpoint: &Endpoint<Service>, text: &str) {
    endpoint.publisher().publish(&room("5"), Said { text: text.to_owned(), is_secret: true });
}

/// Returns the position of the next event, which has this text.
async fn expect_text(client: &mut Client, text: &str) -> Value {
    let event = client.event().await;
    assert_eq!(event.data(), text, "{event:?}");
    position_of(&event)
}

async fn expect_texts(client: &mut Client, texts: &[&str]) {
    for text in texts {
        expect_text(client, text).await;
    }
}

fn position_of(event: &Reply) -> Value {
    let position = event.value()["position"].clone();
    assert!(position.is_string(), "{event:?}");
    position
}
