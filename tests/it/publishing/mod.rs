//! Who may publish to a group from an action: members, `AllowAny` or an expression, on the caller's current rights.

mod expressions;
mod members;
mod permits;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use portcullis::testing::{Client, Reply, connect};
use portcullis::{
    AllowAny, Context, Endpoint, Error, Event, GrantSet, GrantSource, Group, GroupPermission, RequestId, Result, Scope,
    UserGrants, consumer,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::common::codenames::uploads;
use crate::common::{Member, member};

/// What tests and server share.
#[derive(Default)]
struct State {
    /// The users who may not be in a room.
    outsiders: Mutex<HashSet<u32>>,
    /// The users who may upload.
    uploaders: Mutex<HashSet<u32>>,
    /// The number of evaluations of the rooms' permission.
    evaluations: AtomicUsize,
    /// Set to let the next evaluation of the rooms' permission wait for `release`.
    holds_next_evaluation: AtomicBool,
    release: Notify,
    started: Notify,
    resume: Notify,
}

impl State {
    fn revoke(&self, user: u32) {
        self.outsiders.lock().unwrap().insert(user);
    }
}

/// A room where its members publish.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Theatre, permission = InRoom, publish = members, events(Said))]
struct Room(u32);

/// Everyone may join; writers and uploaders publish.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Theatre, permission = AllowAny, publish = "Writer | uploads.write", events(Said))]
struct Board;

/// Everyone may join and publish.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Theatre, permission = AllowAny, publish = AllowAny, events(Said))]
struct Wall;

/// Only the server publishes.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Theatre, permission = AllowAny, publish = portcullis::DenyAll, events(Said))]
struct News;

/// Everyone may join; publishing fails in a way that the key says.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Theatre, permission = AllowAny, publish = "!Writer & Fails", events(Said))]
struct Trap(Failure);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
enum Failure {
    Error,
    NotFound,
    Panic,
    Timeout,
}

struct InRoom;

impl GroupPermission<Room, Theatre> for InRoom {
    async fn may_join(&self, theatre: &Theatre, scope: &Scope<Member>, _: &Room) -> Result<bool> {
        let state = &theatre.0;
        let Some(member) = scope.user() else { return Ok(false) };
        state.evaluations.fetch_add(1, Ordering::SeqCst);
        let is_inside = !state.outsiders.lock().unwrap().contains(&member.id);
        if state.holds_next_evaluation.swap(false, Ordering::SeqCst) {
            state.release.notified().await;
        }
        Ok(is_inside)
    }
}

/// Holds if the user has the role `writer`.
struct Writer;

impl<G: Sync> GroupPermission<G, Theatre> for Writer {
    async fn may_join(&self, _: &Theatre, scope: &Scope<Member>, _: &G) -> Result<bool> {
        Ok(scope.user().is_some_and(|member| member.roles.contains(&"writer")))
    }
}

struct Fails;

impl GroupPermission<Trap, Theatre> for Fails {
    async fn may_join(&self, _: &Theatre, _: &Scope<Member>, trap: &Trap) -> Result<bool> {
        match trap.0 {
            Failure::Error => Err(Error::internal("the store's secret")),
            Failure::NotFound => Err(Error::not_found()),
            Failure::Panic => panic!("the store's secret"),
            Failure::Timeout => std::future::pending().await,
        }
    }
}

struct FakeGrants(Arc<State>);

impl GrantSource<Member> for FakeGrants {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        let may_upload = self.0.uploaders.lock().unwrap().contains(&user.id);
        Ok(if may_upload { GrantSet::from(uploads::write).into() } else { UserGrants::default() })
    }
}

#[derive(Event)]
struct Said(String);

struct Theatre(Arc<State>);

/// What an action does, in order. It fails with the first error.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Step {
    Join(u32),
    Subscribe(u32),
    Unsubscribe(u32, RequestId),
    Leave(u32),
    Say(u32),
    SayToOthers(u32),
    SayToSeveral(Vec<u32>),
    /// Publishes, and goes on if that is refused.
    TrySay(u32),
    /// Takes a permit, waits, and publishes twice.
    SayByPermit(u32),
    SayOnBoard,
    SayOnWall,
    SayInNews,
    SayInTrap(Failure),
    TryTrap(Failure),
    /// Reports a change of the caller's own rights.
    Refresh,
    Wait,
}

impl Theatre {
    async fn run(&self, cx: &Context<'_, Member>, step: Step) -> Result<()> {
        let said = || Said(format!("{step:?}"));
        match step {
            Step::Join(room) => cx.join(Room(room)).await,
            Step::Subscribe(room) => cx.subscribe(Room(room)).await,
            Step::Unsubscribe(room, ref id) => cx.unsubscribe(Room(room), id.clone()),
            Step::Leave(room) => cx.leave(Room(room)),
            Step::Say(room) => cx.publish(Room(room), said()).await,
            Step::SayToOthers(room) => cx.publish_to_others(Room(room), said()).await,
            Step::SayToSeveral(ref rooms) => cx.publish_to_several(rooms.iter().copied().map(Room), said()).await,
            Step::TrySay(room) => Ok(_ = cx.publish(Room(room), said()).await.is_err()),
            Step::SayByPermit(room) => {
                let permit = cx.publish_permit(Room(room)).await?;
                self.wait().await;
                permit.publish(said());
                permit.publish_to_others(said());
                Ok(())
            }
            Step::SayOnBoard => cx.publish(Board, said()).await,
            Step::SayOnWall => cx.publish(Wall, said()).await,
            Step::SayInNews => cx.publish(News, said()).await,
            Step::SayInTrap(failure) => cx.publish(Trap(failure), said()).await,
            Step::TryTrap(failure) => Ok(_ = cx.publish(Trap(failure), said()).await.is_err()),
            Step::Refresh => {
                let user_id = cx.require_user()?.id.to_string();
                assert!(cx.connections::<Theatre>()?.refresh_user(&user_id).await.is_acknowledged());
                Ok(())
            }
            Step::Wait => {
                self.wait().await;
                Ok(())
            }
        }
    }

    async fn wait(&self) {
        self.0.started.notify_one();
        self.0.resume.notified().await;
    }
}

#[consumer(user = Member)]
impl Theatre {
    #[action(permission = AllowAny)]
    async fn act(&self, cx: &Context<'_, Member>, steps: Vec<Step>) -> Result<()> {
        for step in steps {
            self.run(cx, step).await?;
        }
        Ok(())
    }

    /// As `act`, and the connection processes other messages meanwhile.
    #[action(permission = AllowAny, detached)]
    async fn act_detached(&self, cx: &Context<'_, Member>, steps: Vec<Step>) -> Result<()> {
        self.act(cx, steps).await
    }

    #[action(permission = AllowAny, blocking)]
    fn say_blocking(&self, cx: &Context<'_, Member>, room: u32) -> Result<()> {
        tokio::runtime::Handle::current().block_on(cx.publish(Room(room), Said("from a thread".to_owned())))
    }

    /// Joins all groups that everyone may join.
    #[action(permission = AllowAny)]
    async fn listen(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Board).await?;
        cx.join(Wall).await?;
        cx.join(News).await?;
        for failure in [Failure::Error, Failure::NotFound, Failure::Panic, Failure::Timeout] {
            cx.join(Trap(failure)).await?;
        }
        Ok(())
    }

    /// The token is a role of user 1.
    #[authenticate]
    async fn authenticate(&self, token: String) -> Result<Option<Member>> {
        Ok(Some(member(1, if token == "writer" { &["writer"] } else { &[] })))
    }

    #[event(permission = AllowAny)]
    fn said<'e>(&self, event: &'e Said) -> &'e str {
        &event.0
    }
}

struct Fixture {
    state: Arc<State>,
    theatre: Endpoint<Theatre>,
}

fn fixture() -> Fixture {
    let state = Arc::new(State::default());
    let theatre = portcullis::websocket(Theatre(state.clone())).grants(FakeGrants(state.clone()));
    Fixture { state, theatre }
}

impl Fixture {
    async fn open(&self, id: u32) -> Client {
        connect(&self.theatre).user(member(id, &[])).open().await.unwrap()
    }

    /// Opens a connection that is a member of rooms 1 and 2 and of all groups that everyone may join.
    async fn open_listener(&self) -> Client {
        let mut listener = self.open(9).await;
        assert_eq!(act(&mut listener, &[Step::Join(1), Step::Join(2)]).await.status(), 200);
        assert_eq!(listener.call("listen").await.status(), 200);
        settle(&mut listener).await;
        listener
    }

    /// Reports a change of a user's rights. The revalidation goes on in the background.
    async fn refresh(&self, id: u32) {
        assert!(self.theatre.connections().refresh_user(&id.to_string()).await.is_acknowledged());
    }

    /// Waits until the steps of an action have come to a [`Step::Wait`].
    async fn started(&self) {
        self.state.started.notified().await;
    }
}

async fn act(client: &mut Client, steps: &[Step]) -> Reply {
    client.call("act").with("steps", steps).await
}

fn send(client: &mut Client, action: &str, steps: &[Step]) {
    client.send(serde_json::json!({"action": action, "steps": steps}).to_string());
}

/// The side effects of a reply have happened when the next reply arrives.
async fn settle(client: &mut Client) {
    assert_eq!(client.call("nothing").await.status(), 405);
}

/// Checks that the steps are refused and that the listener receives nothing.
async fn assert_refused(client: &mut Client, listener: &mut Client, steps: &[Step]) {
    let reply = act(client, steps).await;
    assert_eq!((reply.status(), reply.code()), (403, "permission_denied"), "{steps:?}");
    listener.expect_silence().await;
}

/// Checks that the steps succeed and that the listener receives what the last one publishes.
async fn assert_published(client: &mut Client, listener: &mut Client, steps: &[Step]) {
    assert_eq!(act(client, steps).await.status(), 200, "{steps:?}");
    assert_eq!(listener.event().await.data(), &format!("{:?}", steps.last().unwrap()));
    settle(client).await;
}
