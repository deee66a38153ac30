//! `Rule`: one implementation as a leaf of actions, connect expressions, groups and events.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Context, Endpoint, Error, Event, Group, Handler, Permission, PermissionContext, Result, Rule, Scope,
    consumer, handler,
};
use serde_json::json;

use crate::common::log_capture::LogCapture;
use crate::common::{Member, member};

/// A handler with the members of each room.
trait HasMembers: Handler<User = Member> {
    fn members(&self) -> &Mutex<HashSet<(u32, u32)>>;
}

/// Holds if the user is a member of the room. Room 13 fails, room 14 is unknown, room 15 is never ready.
struct InRoom(u32);

impl<H: HasMembers> Rule<H> for InRoom {
    async fn holds(&self, handler: &H, scope: &Scope<Member>) -> Result<bool> {
        match self.0 {
            13 => Err(Error::internal("the store's secret")),
            14 => Err(Error::not_found()),
            15 => std::future::pending().await,
            room => {
                let member = scope.user().ok_or_else(Error::unauthenticated)?;
                Ok(handler.members().lock().unwrap().contains(&(room, member.id)))
            }
        }
    }
}

/// Holds if the user has the role. It does not depend on the handler.
struct Has(&'static str);

impl<H: Handler<User = Member>> Rule<H> for Has {
    async fn holds(&self, _: &H, scope: &Scope<Member>) -> Result<bool> {
        Ok(scope.user().is_some_and(|member| member.roles.contains(&self.0)))
    }
}

/// A permission, next to rules in one expression.
struct IsShort;

impl<H: Handler> Permission<H> for IsShort {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, H::User>) -> Result<bool> {
        Ok(cx.argument::<&str>("text")?.len() < 10)
    }
}

#[derive(Event)]
struct Said(String);
#[derive(Event)]
struct Whispered;
#[derive(Event)]
struct Failed;
#[derive(Event)]
struct Missed;
#[derive(Event)]
struct Slow;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Ruled,
    permission = "InRoom({room}) & !Has({without})",
    publish = "Has(\"writer\") | InRoom(7)",
    events(Said, Whispered, Failed, Missed, Slow),
    local
)]
struct Room {
    room: u32,
    without: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Ruled, permission = AllowAny, publish = AllowAny, events(Said, Whispered, Failed, Missed, Slow))]
struct Everyone;

#[derive(Default)]
struct Ruled {
    rooms: Rooms,
}

#[derive(Default)]
struct Rooms {
    members: Arc<Mutex<HashSet<(u32, u32)>>>,
}

impl HasMembers for Ruled {
    fn members(&self) -> &Mutex<HashSet<(u32, u32)>> {
        &self.rooms.members
    }
}

impl HasMembers for Rooms {
    fn members(&self) -> &Mutex<HashSet<(u32, u32)>> {
        &self.members
    }
}

#[consumer(user = Member)]
impl Ruled {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.join(Room { room, without: "banned" }).await
    }

    #[action(permission = AllowAny)]
    async fn listen(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Everyone).await
    }

    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.publish(Room { room, without: "" }, Said("hello".to_owned())).await
    }

    #[event(permission = Has("listener"))]
    fn said(event: &Said) -> &str {
        &event.0
    }

    #[event(permission = "!Has(\"deaf\") & InRoom(1)")]
    fn whispered(&self, _: &Whispered) -> u8 {
        1
    }

    #[event(permission = "!InRoom(13) | AllowAll")]
    fn failed(&self, _: &Failed) -> u8 {
        2
    }

    #[event(permission = !InRoom(14))]
    fn missed(&self, _: &Missed) -> u8 {
        3
    }

    #[event(permission = "!InRoom(15) | AllowAll")]
    fn slow(&self, _: &Slow) -> u8 {
        4
    }
}

/// Always holds, unlike `AllowAny` in any place of an expression.
struct AllowAll;

impl<H: Handler> Rule<H> for AllowAll {
    async fn holds(&self, _: &H, _: &Scope<H::User>) -> Result<bool> {
        Ok(true)
    }
}

#[handler(user = Member, permission = InRoom({room_id}))]
impl Rooms {
    #[action]
    async fn read(&self) {}

    #[action(permission = "Has(\"writer\") & IsShort")]
    async fn write(&self) {}
}

/// A strict handshake.
struct StrictlyRuled;

#[consumer(user = Member, connect = "Has(\"staff\")", permission = !Has("banned"))]
impl StrictlyRuled {
    #[action]
    async fn work(&self) {}
}

fn endpoint(members: &[(u32, u32)]) -> Endpoint<Ruled> {
    let ruled = Ruled::default();
    ruled.rooms.members.lock().unwrap().extend(members);
    portcullis::websocket(ruled)
}

async fn open(endpoint: &Endpoint<Ruled>, id: u32, roles: &[&'static str]) -> Client {
    connect(endpoint).user(member(id, roles)).open().await.unwrap()
}

#[tokio::test]
async fn rule_guards_handlers_and_actions() {
    let endpoint = endpoint(&[(1, 5)]);
    let mut writer = open(&endpoint, 5, &["writer"]).await;
    let mut reader = open(&endpoint, 6, &[]).await;
    assert_eq!(writer.call("read").route("rooms/1/").await.status(), 200);
    assert_eq!(writer.call("read").route("rooms/2/").await.status(), 403);
    assert_eq!(writer.call("write").route("rooms/1/").with("text", "short").await.status(), 200);
    assert_eq!(writer.call("write").route("rooms/1/").with("text", "longer than that").await.status(), 403);
    assert_eq!(writer.call("read").route("rooms/13/").await.status(), 500);
    assert_eq!(writer.call("read").route("rooms/14/").await.status(), 404);
    assert_eq!(writer.call("read").route("rooms/x/").await.status(), 404);
    assert_eq!(reader.call("read").route("rooms/1/").await.status(), 403);
    let mut anonymous = connect(&endpoint).open().await.unwrap();
    assert_eq!(anonymous.call("read").route("rooms/1/").await.status(), 401);
}

#[tokio::test]
async fn rule_has_no_opinion_on_connecting_and_is_evaluated_if_strict() {
    let endpoint = portcullis::websocket(StrictlyRuled);
    assert_eq!(connect(&endpoint).open().await.unwrap_err().status(), 401);
    assert_eq!(connect(&endpoint).user(member(5, &[])).open().await.unwrap_err().status(), 403);
    let mut client = connect(&endpoint).user(member(5, &["staff", "banned"])).open().await.unwrap();
    assert_eq!(client.call("work").await.status(), 403);
    let mut client = connect(&endpoint).user(member(5, &["staff"])).open().await.unwrap();
    assert_eq!(client.call("work").await.status(), 200);
}

#[tokio::test]
async fn rule_guards_joining_with_fields_of_the_group() {
    let endpoint = endpoint(&[(1, 5), (1, 6)]);
    for (id, roles, room, expected) in [
        (5, &[][..], 1, 200),
        (5, &[], 2, 403),
        (6, &["banned"], 1, 403),
        (7, &[], 1, 403),
        (5, &[], 13, 500),
        (5, &[], 14, 404),
    ] {
        let mut client = open(&endpoint, id, roles).await;
        assert_eq!(client.call("enter").with("room", room).await.status(), expected, "{id} {room}");
    }
}

#[tokio::test]
async fn rule_of_a_group_ends_the_membership_when_it_no_longer_holds() {
    let ruled = Ruled::default();
    let members = ruled.rooms.members.clone();
    members.lock().unwrap().insert((1, 5));
    let endpoint = portcullis::websocket(ruled);
    let connections = endpoint.connections();
    let mut client = open(&endpoint, 5, &["listener"]).await;
    assert_eq!(client.call("enter").with("room", 1).await.status(), 200);
    let publisher = endpoint.publisher();
    let room = || Room { room: 1, without: "banned" };
    publisher.publish(&room(), Said("first".to_owned()));
    assert_eq!(client.event().await.data(), "first");
    members.lock().unwrap().clear();
    assert!(connections.refresh_user("5").revalidated().await.is_acknowledged());
    publisher.publish(&room(), Said("second".to_owned()));
    client.expect_silence().await;
}

#[tokio::test]
async fn rule_guards_publishing() {
    let endpoint = endpoint(&[(7, 6)]);
    for (id, roles, expected) in [(5, &["writer"][..], 200), (6, &[], 200), (7, &[], 403)] {
        let mut client = open(&endpoint, id, roles).await;
        assert_eq!(client.call("say").with("room", 3).await.status(), expected, "{id}");
    }
}

#[tokio::test]
async fn rule_guards_events_per_subscriber() {
    let endpoint = endpoint(&[(1, 5), (1, 6)]);
    let publisher = endpoint.publisher();
    for (id, roles, expected) in [
        (5, &["listener"][..], vec![json!("hi"), json!(1)]),
        (6, &["deaf"], vec![]),
        (6, &["listener", "deaf"], vec![json!("hi")]),
        (7, &["listener"], vec![json!("hi")]),
    ] {
        let mut client = open(&endpoint, id, roles).await;
        assert_eq!(client.call("listen").await.status(), 200);
        publisher.publish(&Everyone, Said("hi".to_owned()));
        publisher.publish(&Everyone, Whispered);
        for data in &expected {
            assert_eq!(client.event().await.data(), data, "{id} {roles:?}");
        }
        client.expect_silence().await;
    }
}

#[tokio::test]
async fn rule_of_an_event_that_fails_or_waits_refuses_despite_operators() {
    let log = LogCapture::start();
    let endpoint = endpoint(&[]);
    let publisher = endpoint.publisher();
    let mut client = open(&endpoint, 5, &["listener"]).await;
    assert_eq!(client.call("listen").await.status(), 200);
    log.take();
    publisher.publish(&Everyone, Failed);
    publisher.publish(&Everyone, Missed);
    publisher.publish(&Everyone, Slow);
    let lines: Vec<_> = log.take().into_iter().filter(|line| line.starts_with("ERROR")).collect();
    publisher.publish(&Everyone, Said("then".to_owned()));
    assert_eq!(client.event().await.data(), "then");
    client.expect_silence().await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("event refused: rule failed") && lines[0].contains("the store's secret"), "{lines:?}");
    assert!(lines[1].contains("event refused: rule waits") && lines[1].contains("InRoom"), "{lines:?}");
}
