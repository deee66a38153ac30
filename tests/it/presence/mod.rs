//! Presence: the list of a group's members, what each viewer sees of it, and the announcements of its changes.

mod announcements;
mod list;
mod races;
mod random;
mod rights;

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, Context, Endpoint, Error, Event, Group, GroupPermission, IsAuthenticated, Limits, MemberPermission,
    PresentUser, Result, Rule, Scope, User, consumer,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::common::limits::without_timeouts;
use crate::common::{Member, member};

/// The users that may not be in any room.
type Outsiders = Arc<Mutex<HashSet<u32>>>;

struct Premises {
    outsiders: Outsiders,
}

/// Holds unless the user is an outsider.
struct IsInvited;

impl<G: Sync> GroupPermission<G, Premises> for IsInvited {
    async fn may_join(&self, office: &Premises, scope: &Scope<Member>, _: &G) -> Result<bool> {
        let is_outsider = |member: &Member| office.outsiders.lock().unwrap().contains(&member.id);
        Ok(!scope.user().is_some_and(is_outsider))
    }
}

/// Holds if the viewer is staff.
struct IsStaff;

impl Rule<Premises> for IsStaff {
    async fn holds(&self, _: &Premises, viewer: &Scope<Member>) -> Result<bool> {
        Ok(viewer.user().is_some_and(|viewer| viewer.roles.contains(&"staff")))
    }
}

/// Holds if the first roles of the viewer and the member, their teams, are equal.
struct SharesTeam;

impl MemberPermission<Premises> for SharesTeam {
    fn may_see_member(&self, _: &Premises, viewer: &Scope<Member>, member: &Member) -> Result<bool> {
        match member.roles[0] {
            "error" => Err(Error::internal("a leaf's secret")),
            "panic" => panic!("a leaf's secret"),
            team => Ok(viewer.user().is_some_and(|viewer| viewer.roles[0] == team)),
        }
    }
}

/// Holds for this room.
struct Is(u32);

impl Rule<Premises> for Is {
    async fn holds(&self, _: &Premises, _: &Scope<Member>) -> Result<bool> {
        Ok(self.0 == 1)
    }
}

#[derive(Debug, Serialize, Deserialize, Event)]
struct Said(String);

/// Members see their team, and staff sees everyone.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(
    consumer = Premises,
    permission = IsInvited,
    publish = members,
    events(Said),
    presence = "SharesTeam(member) | IsStaff",
    announce,
    public_name = "rooms/{0}"
)]
struct Room(u32);

/// Every viewer may see the members of hall 1, and no viewer those of other halls.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(consumer = Premises, permission = IsInvited, publish = members, events(Said), presence = Is({0}))]
struct Hall(u32);

#[consumer(user = Member)]
impl Premises {
    #[authenticate]
    async fn log_in(&self, id: u32, is_blue: Option<bool>) -> Result<Option<Member>> {
        Ok(Some(member(id, &[if is_blue == Some(true) { "blue" } else { "red" }])))
    }

    #[action(permission = AllowAny)]
    async fn enter(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.join(Room(room)).await
    }

    #[action(permission = AllowAny)]
    async fn watch(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.subscribe(Room(room)).await
    }

    #[action(permission = AllowAny)]
    async fn exit(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.leave(Room(room))
    }

    #[action(permission = AllowAny)]
    async fn online(&self, cx: &Context<'_, Member>, room: u32) -> Result<Vec<PresentUser>> {
        cx.present_users(&Room(room)).await
    }

    /// Lists the users, and replies only after other tasks have run.
    #[action(permission = AllowAny)]
    async fn online_later(&self, cx: &Context<'_, Member>, room: u32, turns: usize) -> Result<Vec<PresentUser>> {
        let users = cx.present_users(&Room(room)).await?;
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        Ok(users)
    }

    #[action(permission = AllowAny)]
    async fn count(&self, cx: &Context<'_, Member>, room: u32) -> Result<usize> {
        cx.present_user_count(&Room(room)).await
    }

    #[action(permission = IsAuthenticated)]
    async fn enter_hall(&self, cx: &Context<'_, Member>, hall: u32) -> Result<()> {
        cx.join(Hall(hall)).await
    }

    #[action(permission = AllowAny)]
    async fn in_hall(&self, cx: &Context<'_, Member>, hall: u32) -> Result<Vec<PresentUser>> {
        cx.present_users(&Hall(hall)).await
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    /// Closes the other connections of the caller.
    #[action(permission = AllowAny)]
    async fn close_others(&self, cx: &Context<'_, Member>) -> Result<()> {
        let (user_id, keep) = (cx.require_user()?.id().into_owned(), cx.scope().connection_id());
        assert!(cx.connections::<Premises>()?.disconnect_others(&user_id, keep).await.is_acknowledged());
        Ok(())
    }

    /// Joins a group whose key panics, which ends the task of the connection.
    #[action(permission = AllowAny)]
    async fn fall(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Trapdoor).await
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> &Said {
        event
    }
}

/// A group that no connection can join.
#[derive(Clone, PartialEq, Eq, Group)]
#[group(consumer = Premises, permission = AllowAny, publish = members, events(Said), local)]
struct Trapdoor;

impl Hash for Trapdoor {
    fn hash<H: Hasher>(&self, _: &mut H) {
        panic!("a key that fails");
    }
}

fn office(limits: Limits) -> (Endpoint<Premises>, Outsiders) {
    let outsiders = Outsiders::default();
    (portcullis::websocket(Premises { outsiders: outsiders.clone() }).limits(limits), outsiders)
}

async fn open(endpoint: &Endpoint<Premises>, id: u32, roles: &[&'static str]) -> Client {
    connect(endpoint).user(member(id, roles)).open().await.unwrap()
}

/// Opens a connection that is a member of room 1. Its join has taken effect.
async fn enter(endpoint: &Endpoint<Premises>, id: u32, roles: &[&'static str]) -> Client {
    let mut client = open(endpoint, id, roles).await;
    assert_eq!(client.call("enter").with("room", 1).await.status(), 200);
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

/// Returns the members of room 1 that the client sees, with their numbers of connections.
async fn online(client: &mut Client) -> Vec<(u32, usize)> {
    let reply = client.call("online").with("room", 1).await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let users = reply.data().as_array().unwrap().iter();
    users
        .map(|user| {
            (
                user["user"].as_str().unwrap().parse().unwrap(),
                usize::try_from(user["connections"].as_u64().unwrap()).unwrap(),
            )
        })
        .collect()
}

/// Returns the next event, which must be an announcement about a user of room 1.
async fn change(client: &mut Client) -> (String, bool) {
    let event = client.event().await;
    let frame = event.value();
    assert_eq!((&frame["event"], &frame["group"]), (&json!("presence"), &json!("rooms/1")), "{}", event.text());
    (frame["data"]["user"].as_str().unwrap().to_owned(), frame["data"]["online"] == Value::Bool(true))
}

#[test]
fn audit_tells_which_groups_announce() {
    let audit = portcullis::Audit::of::<Premises>();
    let permission = |name| &audit.entries().iter().find(|entry| entry.action == name).unwrap().permission;
    assert!(permission("Room").ends_with(", members seen and announced by SharesTeam(member) | IsStaff"));
    assert!(permission("Hall").ends_with(", members seen by Is({0})"));
    assert!(permission("Trapdoor").ends_with(", published to by members"));
}
