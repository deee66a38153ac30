//! Presence over several machines: the list of a group's users, what each viewer sees of it, and the announcements.

mod faults;
mod list;
mod loader;
mod rights;
mod simulation;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use portcullis::testing::{Client, Cluster, connect};
use portcullis::{
    AllowAny, Context, Endpoint, Error, Event, GrantSet, GrantSource, Group, GroupPermission, IsAuthenticated, Limits,
    MemberPermission, PresentUser, Result, Scope, UserGrants, consumer, permissions,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use crate::common::limits::without_timeouts;
use crate::common::{Member, member};

permissions! {
    club { see_all = "Sees everyone" }
}

/// What the machines share: the database of the club.
#[derive(Default)]
struct Register {
    /// The team of each user.
    teams: Mutex<BTreeMap<u32, &'static str>>,
    /// The users that see everyone.
    guards: Mutex<HashSet<u32>>,
    /// What the loader does instead of loading.
    fault: Mutex<Option<Fault>>,
    /// The ids of the users that were loaded.
    loads: Mutex<Vec<String>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Error,
    Panic,
    PanicAtOnce,
    Hang,
    NotFound,
    OtherUser,
}

impl Register {
    fn set_team(&self, user: u32, team: &'static str) {
        self.teams.lock().unwrap().insert(user, team);
    }

    fn member(&self, user: u32) -> Member {
        member(user, &[self.teams.lock().unwrap().get(&user).copied().unwrap_or("red")])
    }

    async fn load(self: Arc<Self>, id: String) -> Result<Option<Member>> {
        self.loads.lock().unwrap().push(id.clone());
        let fault = *self.fault.lock().unwrap();
        tokio::task::yield_now().await;
        match fault {
            Some(Fault::Error) => Err(Error::internal("the database is down")),
            Some(Fault::Panic) => panic!("a loader that fails"),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::NotFound) => Ok(None),
            Some(Fault::OtherUser) => Ok(Some(self.member(4711))),
            Some(Fault::PanicAtOnce) | None => Ok(Some(self.member(id.parse().unwrap()))),
        }
    }
}

struct Rights(Arc<Register>);

impl GrantSource<Member> for Rights {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        let is_guard = self.0.guards.lock().unwrap().contains(&user.id);
        Ok(is_guard.then_some(club::see_all).into_iter().collect::<GrantSet>().into())
    }
}

/// A club on one machine.
struct Club;

/// Holds if the viewer and the member are in the same team.
struct SharesTeam;

impl MemberPermission<Club> for SharesTeam {
    fn may_see_member(&self, _: &Club, viewer: &Scope<Member>, member: &Member) -> Result<bool> {
        Ok(viewer.user().is_some_and(|viewer| viewer.roles == member.roles))
    }
}

/// Holds for users.
struct IsUser;

impl<G: Sync> GroupPermission<G, Club> for IsUser {
    async fn may_join(&self, _: &Club, scope: &Scope<Member>, _: &G) -> Result<bool> {
        Ok(scope.user().is_some())
    }
}

#[derive(Debug, Serialize, Deserialize, Event)]
struct Rang;

/// Members see their team, and guards everyone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Group)]
#[group(
    consumer = Club,
    permission = IsUser,
    publish = members,
    events(Rang),
    presence = "SharesTeam(member) | club.see_all",
    announce,
    public_name = "rooms/{0}"
)]
struct Room(u32);

/// A group that is not announced, and stays on its machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Club, permission = IsUser, publish = members, events(Rang), presence = AllowAny, local)]
struct Cellar;

#[consumer(user = Member)]
impl Club {
    #[event(permission = AllowAny)]
    fn rang(event: &Rang) -> &Rang {
        event
    }

    #[action(permission = IsAuthenticated)]
    async fn enter(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.join(Room(room)).await
    }

    #[action(permission = IsAuthenticated)]
    async fn exit(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        cx.leave(Room(room))
    }

    #[action(permission = IsAuthenticated)]
    async fn online(&self, cx: &Context<'_, Member>, room: u32) -> Result<Vec<PresentUser>> {
        cx.present_users(&Room(room)).await
    }

    #[action(permission = IsAuthenticated)]
    async fn go_down(&self, cx: &Context<'_, Member>) -> Result<Vec<PresentUser>> {
        cx.join(Cellar).await?;
        cx.present_users(&Cellar).await
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

/// Returns the endpoint of a machine that has no broker yet.
fn club(register: &Arc<Register>, limits: Limits) -> Endpoint<Club> {
    let (database, grants) = (register.clone(), Rights(register.clone()));
    portcullis::websocket(Club).limits(limits).grants(grants).present_user_loader(move |id| {
        let fault = *database.fault.lock().unwrap();
        assert_ne!(fault, Some(Fault::PanicAtOnce), "a loader that fails");
        database.clone().load(id)
    })
}

/// Machines that know each other.
struct Clubs {
    cluster: Cluster,
    machines: Vec<Endpoint<Club>>,
    register: Arc<Register>,
}

impl Clubs {
    async fn open(count: usize) -> Clubs {
        Clubs::open_with(count, without_timeouts()).await
    }

    async fn open_with(count: usize, limits: Limits) -> Clubs {
        let (cluster, register) = (Cluster::new(count + 1, 1), Arc::<Register>::default());
        let machine = |index| club(&register, limits.clone()).broker(cluster.broker(index));
        let machines = (0..count).map(machine).collect();
        sleep(Duration::from_secs(15)).await;
        Clubs { cluster, machines, register }
    }

    async fn connect(&self, machine: usize, user: u32) -> Client {
        connect(&self.machines[machine]).user(self.register.member(user)).open().await.unwrap()
    }

    /// Opens a connection that is a member of room 1. Its join has taken effect.
    async fn enter(&self, machine: usize, user: u32) -> Client {
        let mut client = self.connect(machine, user).await;
        enter(&mut client, 1).await;
        client
    }

    /// Opens a connection of a user that sees everyone, and enters room 1.
    async fn guard(&self, machine: usize, user: u32) -> Client {
        self.register.guards.lock().unwrap().insert(user);
        self.enter(machine, user).await
    }
}

async fn enter(client: &mut Client, room: u32) {
    assert_eq!(client.call("enter").with("room", room).await.status(), 200);
    assert_eq!(client.call("ping").await.status(), 200);
}

async fn exit(client: &mut Client) {
    assert_eq!(client.call("exit").with("room", 1).await.status(), 200);
    assert_eq!(client.call("ping").await.status(), 200);
}

/// Returns the users of room 1 that the client sees, with their numbers of connections.
async fn online(client: &mut Client) -> Vec<(u32, u64)> {
    let reply = client.call("online").with("room", 1).await;
    assert_eq!(reply.status(), 200, "{}", reply.text());
    let users = reply.data().as_array().unwrap().iter();
    users.map(|user| (user["user"].as_str().unwrap().parse().unwrap(), user["connections"].as_u64().unwrap())).collect()
}

/// Returns the users of the next announcement, and whether it is online.
async fn change(client: &mut Client) -> (u32, bool) {
    let event = timeout(Duration::from_mins(2), client.event()).await.expect("nothing is announced");
    assert_eq!(event.value()["event"], "presence", "{}", event.text());
    (event.data()["user"].as_str().unwrap().parse().unwrap(), event.data()["online"] == Value::Bool(true))
}

/// Lets all that is under way arrive, and returns what was announced, sorted by user.
async fn changes(client: &mut Client) -> Vec<(u32, bool)> {
    let mut changes = Vec::new();
    while let Ok(event) = timeout(Duration::from_millis(200), client.event()).await {
        changes.push((event.data()["user"].as_str().unwrap().parse().unwrap(), event.data()["online"] == true));
    }
    changes.sort_unstable();
    changes
}
