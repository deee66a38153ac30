//! The end of a connection whose actions are not done: no body is dropped between its effects, messages that were read before
//! begin in order unless the server has ended the connection, and `#[disconnect]` runs after the last action.

mod cancellation;
mod limits;
mod messages;
mod rights;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Disconnect, Endpoint, Event, Group, GroupPermission, Limits, Permission,
    PermissionContext, Result, Scope, Streamed, consumer,
};

use crate::common::limits::without_heartbeat;
use crate::common::progress::Progress;
use crate::common::{Member, member};

/// What tests and server share.
pub(crate) struct State {
    progress: Arc<Progress>,
    is_outside: AtomicBool,
}

impl Deref for State {
    type Target = Progress;

    fn deref(&self) -> &Progress {
        &self.progress
    }
}

impl State {
    /// The body of an action: stores, waits for a permit, and stores again.
    async fn run(&self, name: &str) {
        let mut end = EndOfBody { state: self, name, is_complete: false };
        self.record(format!("{name} begins"));
        self.wait().await;
        end.is_complete = true;
    }
}

/// Records how a body ends.
struct EndOfBody<'s> {
    state: &'s State,
    name: &'s str,
    is_complete: bool,
}

impl Drop for EndOfBody<'_> {
    fn drop(&mut self) {
        let how = if self.is_complete { "ends" } else { "is dropped" };
        self.state.record(format!("{} {how}", self.name));
    }
}

#[derive(Event)]
struct Said(String);

#[derive(Debug, Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Workshop, permission = MayStay, publish = members, events(Said))]
struct Room(u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Workshop, permission = AllowAny, publish = AllowAny, events(Said))]
struct Board;

struct MayStay;

impl GroupPermission<Room, Workshop> for MayStay {
    async fn may_join(&self, office: &Workshop, _: &Scope<Member>, _: &Room) -> Result<bool> {
        Ok(!office.0.is_outside.load(Ordering::SeqCst))
    }
}

struct NotDenied;

impl Permission<Workshop> for NotDenied {
    async fn has_permission(&self, office: &Workshop, _: &PermissionContext<'_, Member>) -> Result<bool> {
        Ok(!office.0.is_denied.load(Ordering::SeqCst))
    }
}

/// Never answers, and records that it was asked.
struct Hangs;

impl Permission<Workshop> for Hangs {
    async fn has_permission(&self, office: &Workshop, _: &PermissionContext<'_, Member>) -> Result<bool> {
        office.0.started.add_permits(1);
        std::future::pending().await
    }
}

pub(crate) struct Workshop(Arc<State>);

#[consumer(user = Member)]
impl Workshop {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Room(1)).await
    }

    #[disconnect]
    async fn disconnect(&self, cx: &Disconnect<'_, Member>) {
        let mut rooms = cx.left::<Room>();
        rooms.sort_by_key(|room| room.0);
        self.0.record_disconnect(cx, rooms);
    }

    #[event(permission = AllowAny)]
    fn said<'e>(&self, event: &'e Said) -> &'e str {
        &event.0
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) -> &'static str {
        "pong"
    }

    #[action(permission = AllowAny)]
    async fn note(&self, text: String) {
        self.0.record(text);
    }

    #[action(permission = NotDenied)]
    async fn guarded_note(&self, text: String) {
        self.0.record(text);
    }

    #[action(permission = AllowAny)]
    async fn wait(&self, name: String) {
        self.0.run(&name).await;
    }

    /// Stores, waits, and publishes then.
    #[action(permission = NotDenied)]
    async fn remove(&self, cx: &Context<'_, Member>, name: String) -> Result<()> {
        self.0.run(&name).await;
        cx.publish(Board, Said(name)).await
    }

    #[action(permission = NotDenied, detached)]
    async fn remove_detached(&self, cx: &Context<'_, Member>, name: String) -> Result<()> {
        self.0.run(&name).await;
        cx.publish(Board, Said(name)).await
    }

    #[action(permission = NotDenied, blocking)]
    fn remove_blocking(&self, cx: &Context<'_, Member>, name: String) -> Result<()> {
        tokio::runtime::Handle::current().block_on(async {
            self.0.run(&name).await;
            cx.publish(Board, Said(name)).await
        })
    }

    /// Publishes as a member of a room, after it has waited.
    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, Member>, name: String) -> Result<()> {
        self.0.run(&name).await;
        let said = cx.publish(Room(1), Said(name)).await;
        self.0.record(if said.is_ok() { "said" } else { "not a member" });
        said
    }

    /// Joins and leaves after it has waited.
    #[action(permission = AllowAny)]
    async fn join(&self, cx: &Context<'_, Member>, name: String) -> Result<()> {
        self.0.run(&name).await;
        let joined = cx.join(Room(2)).await;
        cx.leave(Room(1))?;
        self.0.record(if joined.is_ok() { "joined" } else { "refused" });
        joined
    }

    #[action(permission = Hangs)]
    async fn unreachable(&self) {
        self.0.record("unreachable");
    }

    #[action(permission = Hangs, detached)]
    async fn unreachable_detached(&self) {
        self.0.record("unreachable");
    }

    #[action(permission = AllowAny, cancel = drop)]
    async fn wait_droppable(&self, name: String) {
        self.0.run(&name).await;
    }

    #[action(permission = AllowAny, detached, cancel = drop)]
    async fn wait_droppable_detached(&self, name: String) {
        self.0.run(&name).await;
    }

    /// Stops when it is cancelled.
    #[action(permission = AllowAny)]
    async fn wait_cancelled(&self, cx: &Context<'_, Member>, name: String) -> Result<()> {
        self.0.record(format!("{name} begins"));
        self.0.started.add_permits(1);
        cx.cancelled().await;
        self.0.record(format!("{name} is cancelled"));
        cx.publish(Board, Said(name)).await
    }

    #[action(permission = AllowAny, detached)]
    async fn wait_cancelled_detached(&self, cx: &Context<'_, Member>, name: String) -> Result<()> {
        self.wait_cancelled(cx, name).await
    }

    #[action(permission = AllowAny, blocking)]
    fn wait_cancelled_blocking(&self, cx: &Context<'_, Member>, name: String) -> Result<()> {
        tokio::runtime::Handle::current().block_on(self.wait_cancelled(cx, name))
    }

    /// Publishes, and sends values without end.
    #[action(permission = AllowAny)]
    async fn values(&self, cx: &Context<'_, Member>, name: String) -> Result<Streamed<impl Stream<Item = u8> + use<>>> {
        cx.publish(Board, Said(name)).await?;
        self.0.started.add_permits(1);
        Ok(Streamed(stream::iter([1]).chain(stream::pending())))
    }

    #[action(permission = AllowAny, detached)]
    async fn values_detached(
        &self,
        cx: &Context<'_, Member>,
        name: String,
    ) -> Result<Streamed<impl Stream<Item = u8> + use<>>> {
        self.values(cx, name).await
    }

    #[action(permission = AllowAny)]
    async fn enter_board(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Board).await
    }

    #[action(permission = AllowAny)]
    async fn panic(&self) {
        panic!("an action that panics");
    }
}

fn office_with(limits: Limits) -> (Arc<State>, Endpoint<Workshop>) {
    let state = Arc::new(State { progress: Progress::new(), is_outside: AtomicBool::new(false) });
    let office = portcullis::websocket(Workshop(state.clone())).limits(limits);
    (state, office)
}

fn office() -> (Arc<State>, Endpoint<Workshop>) {
    office_with(Limits { action_timeout: Duration::from_secs(5), ..without_heartbeat() })
}

/// Connects as user `id`. The connection is a member of room 1.
async fn open(office: &Endpoint<Workshop>, id: u32) -> Client {
    let mut client = connect(office).user(member(id, &[])).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

/// Connects a client that receives what is published to the board.
async fn open_reader(office: &Endpoint<Workshop>) -> Client {
    let mut client = open(office, 99).await;
    assert_eq!(client.call("enter_board").await.status(), 200);
    client
}

fn message(action: &str, name: &str) -> String {
    format!(r#"{{"action":"{action}","name":"{name}","text":"{name}"}}"#)
}

/// The kinds of an action that stores and publishes.
const REMOVALS: [&str; 3] = ["remove", "remove_detached", "remove_blocking"];
