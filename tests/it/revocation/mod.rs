//! Rights change while users are connected: nothing is delivered on old rights.

mod connected;
mod disconnect_others;
mod in_progress;
mod races;
mod random;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Connections, Context, Endpoint, Event, GrantSet, GrantSource, Group, GroupPermission,
    Permission, PermissionContext, Result, Scope, Streamed, UserGrants, consumer,
};

use crate::common::codenames::uploads;
use crate::common::{Member, member};

/// The current rights of all users.
#[derive(Default)]
struct State {
    readers: Mutex<HashSet<u32>>,
    members: Mutex<HashSet<u32>>,
    banned: Mutex<HashSet<u32>>,
    /// How often each evaluation yields before it returns.
    yields_per_evaluation: AtomicUsize,
    evaluations: AtomicUsize,
    resume: tokio::sync::Notify,
}

impl State {
    fn has(set: &Mutex<HashSet<u32>>, member: &Member) -> bool {
        set.lock().unwrap().contains(&member.id)
    }

    async fn wait(&self) {
        self.evaluations.fetch_add(1, Ordering::SeqCst);
        for _ in 0..self.yields_per_evaluation.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }
}

struct FakeGrants(Arc<State>);

impl GrantSource<Member> for FakeGrants {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        // The result may be outdated when it is returned.
        let seer = State::has(&self.0.readers, user);
        self.0.wait().await;
        Ok(if seer { GrantSet::from(uploads::read).into() } else { UserGrants::default() })
    }
}

struct Community {
    state: Arc<State>,
}

struct Banned;

impl Permission<Community> for Banned {
    async fn has_permission(&self, chat: &Community, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(cx.user().is_some_and(|member| State::has(&chat.state.banned, member)))
    }

    async fn can_connect(&self, chat: &Community, cx: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        let banned = cx.user().is_some_and(|member| State::has(&chat.state.banned, member));
        chat.state.wait().await;
        Ok(Some(banned))
    }
}

struct MayEnter;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Community, permission = MayEnter, publish = members, events(Said))]
struct Room;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Community, permission = AllowAny, publish = members, events(Uploaded, Said))]
struct Lobby;

impl GroupPermission<Room, Community> for MayEnter {
    async fn may_join(&self, chat: &Community, scope: &Scope<Member>, _: &Room) -> Result<bool> {
        let members = scope.user().is_some_and(|member| State::has(&chat.state.members, member));
        chat.state.wait().await;
        Ok(members)
    }
}

#[derive(Event)]
struct Said(u32);
#[derive(Event)]
struct Uploaded(u32);

#[consumer(user = Member, permission = !Banned)]
impl Community {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Lobby).await?;
        match cx.join(Room).await {
            Err(error) if error.status() != 403 => Err(error),
            _ => Ok(()),
        }
    }

    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }

    #[event(permission = uploads.read)]
    fn uploaded(&self, event: &Uploaded) -> u32 {
        event.0
    }

    #[action]
    async fn ping(&self) {}

    /// Waits for `resume`, and then never ends.
    #[action(permission = uploads.read)]
    async fn stream(&self) -> Streamed<impl futures_util::Stream<Item = u8> + use<>> {
        self.state.resume.notified().await;
        Streamed(futures_util::stream::repeat(1))
    }

    /// Joins the room, and waits for `resume`.
    #[action]
    async fn enter(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room).await?;
        self.state.resume.notified().await;
        Ok(())
    }
}

struct Fixture {
    state: Arc<State>,
    chat: Endpoint<Community>,
    connections: Connections<Community>,
}

fn fixture() -> Fixture {
    let state = Arc::<State>::default();
    let chat = portcullis::websocket(Community { state: state.clone() }).grants(FakeGrants(state.clone()));
    let connections = chat.connections();
    Fixture { state, chat, connections }
}

impl Fixture {
    async fn open(&self, id: u32) -> Client {
        let mut client = connect(&self.chat).user(member(id, &[])).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        client
    }
}

async fn next(client: &mut Client) -> serde_json::Value {
    client.reply().await.value().clone()
}
