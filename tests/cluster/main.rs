//! Several machines of one service: events, order, permissions and changes of rights between them, over each broker.

#[path = "../common/mod.rs"]
mod common;

mod brokers;
mod cut_off;
mod events;
mod gaps;
#[cfg(unix)]
mod lost_broker;
mod presence;
#[cfg(unix)]
mod processes;
mod rights;
mod simulation;
mod versions;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectionId, Context, Endpoint, Event, EventPermission, GrantKey, GrantSet, GrantSource, Group,
    GroupPermission, IsAuthenticated, ObjectId, ObjectKey, Overwrites, Result, Scope, UserGrants, consumer,
    permissions,
};
use serde::{Deserialize, Serialize};

use crate::brokers::Brokers;
use crate::common::{Member, member};

permissions! {
    chat { speak = "Speaks in rooms" }
}

/// What the machines share: the database of the service.
#[derive(Default)]
struct Database {
    /// The users that may speak.
    speakers: Mutex<HashSet<u32>>,
    /// The users that may not be in rooms.
    banned: Mutex<HashSet<u32>>,
    /// Whether moderators may speak.
    moderators_speak: AtomicBool,
    /// The halls in which speaking is denied.
    silent_halls: Mutex<HashSet<u64>>,
    /// The connection that has called `id` last.
    last_id: Mutex<Option<ConnectionId>>,
}

/// A service on one machine.
struct Service(Arc<Database>);

struct Rights(Arc<Database>);

impl GrantSource<Member> for Rights {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        let may_speak = self.0.speakers.lock().unwrap().contains(&user.id);
        let is_moderator = user.roles.contains(&"moderator");
        let may_speak = may_speak || is_moderator && self.0.moderators_speak.load(Ordering::SeqCst);
        let grants: GrantSet = may_speak.then_some(chat::speak).into_iter().collect();
        Ok(UserGrants { roles: user.roles.iter().map(|role| (*role).to_owned()).collect(), ..grants.into() })
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        let silent = self.0.silent_halls.lock().unwrap();
        let speak = || [chat::speak].into_iter().collect::<GrantSet>();
        let of = |object: &ObjectKey| match object.id() {
            ObjectId::Number(hall) if silent.contains(&u64::try_from(*hall).unwrap()) => {
                Overwrites::new().deny_everyone(speak())
            }
            _ => Overwrites::new(),
        };
        Ok(objects.iter().map(of).collect())
    }
}

/// Holds unless the user is banned.
struct IsAdmitted;

impl<G: Sync> GroupPermission<G, Service> for IsAdmitted {
    async fn may_join(&self, service: &Service, scope: &Scope<Member>, _: &G) -> Result<bool> {
        Ok(scope.user().is_some_and(|user| !service.0.banned.lock().unwrap().contains(&user.id)))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Event)]
struct Said {
    text: String,
    /// The only users that may see it, or all.
    only: Option<Vec<u32>>,
}

fn said(text: &str) -> Said {
    Said { text: text.to_owned(), only: None }
}

/// Holds for the users that the event names.
struct IsMeant;

impl EventPermission<Said, Service> for IsMeant {
    fn may_see(&self, _: &Service, scope: &Scope<Member>, event: &Said) -> bool {
        scope.user().is_some_and(|user| event.only.as_ref().is_none_or(|only| only.contains(&user.id)))
    }
}

/// An event that only speakers see.
#[derive(Debug, Serialize, Deserialize, Event)]
struct Whispered(String);

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(
    consumer = Service,
    permission = IsAdmitted,
    publish = members,
    events(Said, Whispered),
    public_name = "rooms/{0}"
)]
struct Room(String);

/// A place with rights of its own.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Hall(u64);

impl GrantKey for Hall {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("hall", self.0)
    }
}

#[consumer(user = Member)]
impl Service {
    #[event(permission = IsMeant)]
    fn said<'e>(&self, event: &'e Said) -> &'e str {
        &event.text
    }

    #[event(permission = "chat.speak")]
    fn whispered<'e>(&self, event: &'e Whispered) -> &'e str {
        &event.0
    }

    #[action(permission = IsAuthenticated)]
    async fn enter(&self, cx: &Context<'_, Member>, room: String) -> Result<()> {
        cx.join(Room(room)).await
    }

    #[action(permission = IsAuthenticated)]
    async fn exit(&self, cx: &Context<'_, Member>, room: String) -> Result<()> {
        cx.leave(Room(room))
    }

    #[action(permission = "chat.speak")]
    async fn speak(&self) {}

    #[action(permission = "chat.speak(hall)")]
    async fn speak_in(&self, hall: Hall) {
        let _ = hall;
    }

    #[action(permission = IsAuthenticated)]
    async fn say(&self, cx: &Context<'_, Member>, room: String, text: String) -> Result<()> {
        cx.publish(Room(room), said(&text)).await
    }

    #[action(permission = IsAuthenticated)]
    async fn say_to_others(&self, cx: &Context<'_, Member>, room: String, text: String) -> Result<()> {
        cx.publish_to_others(Room(room), said(&text)).await
    }

    #[action(permission = AllowAny)]
    async fn id(&self, cx: &Context<'_, Member>) {
        *self.0.last_id.lock().unwrap() = Some(cx.scope().connection_id());
    }
}

/// Returns the endpoint of a machine.
fn machine(brokers: &Brokers, database: &Arc<Database>) -> Endpoint<Service> {
    let endpoint = portcullis::websocket(Service(database.clone())).grants(Rights(database.clone()));
    brokers.attach(endpoint)
}

/// Opens a connection, and waits until it is established.
async fn open(machine: &Endpoint<Service>, id: u32) -> Client {
    let mut client = connect(machine).user(member(id, &[])).open().await.unwrap();
    assert_eq!(client.call("id").await.status(), 200);
    client
}

/// Opens a connection that is a member of a room.
async fn enter(machine: &Endpoint<Service>, id: u32, room: &str) -> Client {
    let mut client = open(machine, id).await;
    assert_eq!(client.call("enter").with("room", room).await.status(), 200);
    client
}

/// Returns the texts of the next events.
async fn texts(client: &mut Client, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(text(client).await);
    }
    texts
}

/// Returns the text of the next event.
async fn text(client: &mut Client) -> String {
    client.event().await.data_as()
}

/// Checks that a client has received nothing: what was published before this event would be there before it.
async fn expect_nothing_before_marker(machine: &Endpoint<Service>, client: &mut Client, id: u32) {
    machine.publisher().publish_to_user(&id.to_string(), said("marker"));
    assert_eq!(text(client).await, "marker");
}
