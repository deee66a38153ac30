//! Faulty errors and values of the application: error text is escaped in the log, and a panic in `Display`, in `Drop` or
//! with an unusual payload affects one message or one connection only.

mod causes;
mod drops;
mod entries;
mod shared_users;

use std::borrow::Cow;
use std::fmt;
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::{Stream, StreamExt, stream};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Disconnect, Endpoint, Error, Event, EventPermission, GrantSet, GrantSource,
    Group, GroupPermission, Permission, PermissionContext, Result, Scope, Streamed, User, UserGrants, consumer,
};
use serde::{Serialize, Serializer};
use tokio::sync::Notify;

use crate::common::codenames::uploads;
use shared_users::Gate;

/// Text that would forge a line of a log and color the terminal.
const HOSTILE: &str = "first\nsecond \u{1b}[31m\u{202e}";

/// Panics when it is dropped.
#[derive(Clone)]
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// How an error misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    HostileText,
    DisplayPanics,
    DropPanics,
    /// There is no error: the code panics, and so does the payload when it is dropped.
    PayloadPanics,
}

#[derive(Debug)]
struct StoreError(Fault);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert_ne!(self.0, Fault::DisplayPanics, "no text");
        write!(f, "{HOSTILE}{}", "x".repeat(5000))
    }
}

impl std::error::Error for StoreError {}

impl Drop for StoreError {
    fn drop(&mut self) {
        assert_ne!(self.0, Fault::DropPanics, "dropped");
    }
}

struct Member {
    id: u32,
    _bomb: Option<Bomb>,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        self.id.to_string().into()
    }
}

fn member(id: u32) -> Member {
    Member { id, _bomb: None }
}

fn explosive(id: u32) -> Member {
    Member { id, _bomb: Some(Bomb) }
}

/// What tests and server share.
#[derive(Default)]
struct State {
    /// The place that fails next, and how.
    armed: Mutex<Option<(&'static str, Fault)>>,
    is_refusing: AtomicBool,
    begun: Notify,
    go_on: Notify,
    gone: Notify,
    gate: Gate,
    seen: AtomicU32,
}

impl State {
    fn arm(&self, place: &'static str, fault: Fault) {
        *self.armed.lock().unwrap() = Some((place, fault));
    }

    fn check(&self, place: &str) -> Result<()> {
        let armed = self.armed.lock().unwrap().take_if(|armed| armed.0 == place);
        match armed {
            None => Ok(()),
            Some((_, Fault::PayloadPanics)) => panic_any(Bomb),
            Some((_, fault)) => Err(Error::internal(StoreError(fault))),
        }
    }

    fn refuse(&self) {
        self.is_refusing.store(true, Ordering::SeqCst);
    }
}

struct Guarded;

impl Permission<Forum> for Guarded {
    async fn has_permission(&self, chat: &Forum, _: &PermissionContext<'_, Member>) -> Result<bool> {
        chat.0.check("permission").map(|()| true)
    }

    async fn can_connect(&self, chat: &Forum, _: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        chat.0.check("connect permission")?;
        Ok(Some(!chat.0.is_refusing.load(Ordering::SeqCst)))
    }
}

struct MayEnter;

impl<G: Group> GroupPermission<G, Forum> for MayEnter {
    async fn may_join(&self, chat: &Forum, _: &Scope<Member>, _: &G) -> Result<bool> {
        chat.0.check("group").map(|()| true)
    }
}

/// Grants `uploads.read` to everyone.
struct Roles(Arc<State>);

impl GrantSource<Member> for Roles {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        if user.id == 2 {
            self.0.check("grants")?;
        }
        Ok(GrantSet::from(uploads::read).into())
    }
}

#[derive(Event)]
struct Said(u32);
#[derive(Event)]
struct Uploaded(u32);
/// An event whose data cannot be serialized, with an error of this text.
#[derive(Event)]
struct Broken;
#[derive(Event)]
#[event(local)]
struct Explosive(Bomb);

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom(HOSTILE))
    }
}

struct Sees;

impl EventPermission<Said, Forum> for Sees {
    fn may_see(&self, chat: &Forum, scope: &Scope<Member>, _: &Said) -> bool {
        let is_second = scope.user().is_some_and(|member| member.id == 2);
        if is_second {
            chat.0.gate.pass();
        }
        !is_second || chat.0.check("event permission").is_ok()
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Forum, permission = MayEnter, publish = AllowAny, events(Said, Uploaded, Broken, Explosive), local)]
struct Room(u32);

/// A group whose key panics when it is dropped.
#[derive(Clone, Group)]
#[group(consumer = Forum, permission = MayEnter, publish = members, events(Said), local)]
struct Vault(Bomb);

impl PartialEq for Vault {
    fn eq(&self, _: &Vault) -> bool {
        true
    }
}

impl Eq for Vault {}

impl std::hash::Hash for Vault {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u8(0);
    }
}

type Values = Streamed<Pin<Box<dyn Stream<Item = Result<u32>> + Send>>>;

struct Forum(Arc<State>);

#[consumer(user = Member, permission = Guarded)]
impl Forum {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Room(1)).await?;
        if self.0.is_refusing.load(Ordering::SeqCst) {
            cx.insert(Bomb);
            return Err(Error::denied());
        }
        self.0.check("connect")
    }

    #[disconnect]
    async fn disconnect(&self, _: &Disconnect<'_, Member>) {
        self.0.gone.notify_one();
        let _ = self.0.check("disconnect");
    }

    #[authenticate]
    async fn authenticate(&self, id: u32, explodes: Option<bool>, hangs: Option<bool>) -> Result<Option<Member>> {
        self.0.check("authenticate")?;
        if hangs == Some(true) {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        }
        Ok(Some(if explodes == Some(true) { explosive(id) } else { member(id) }))
    }

    #[event(permission = Sees)]
    fn said(&self, event: &Said) -> u32 {
        if event.0 == 99 {
            let _ = self.0.check("event");
        }
        event.0
    }

    #[event(permission = uploads.read)]
    fn uploaded(&self, event: &Uploaded) -> u32 {
        event.0
    }

    #[event(permission = AllowAny)]
    fn broken(&self, _: &Broken) -> Broken {
        Broken
    }

    #[event(permission = AllowAny)]
    fn explosive(&self, _: &Explosive) -> u32 {
        self.0.seen.fetch_add(1, Ordering::SeqCst)
    }

    #[action]
    async fn ping(&self) {}

    #[action]
    async fn act(&self) -> Result<()> {
        self.0.check("action")
    }

    #[action(blocking)]
    fn block(&self) -> Result<()> {
        self.0.check("blocking")
    }

    #[action(detached)]
    async fn act_detached(&self) -> Result<()> {
        self.0.check("detached")
    }

    #[action]
    async fn hold(&self) {
        self.0.begun.notify_one();
        self.0.go_on.notified().await;
    }

    #[action]
    async fn stream(&self) -> Values {
        let state = self.0.clone();
        Streamed(stream::iter([Ok(1)]).chain(stream::once(async move { state.check("stream").map(|()| 2) })).boxed())
    }

    #[action]
    async fn stream_holding_a_bomb(&self) -> Values {
        let bomb = Bomb;
        Streamed(stream::iter([1, 2]).map(move |value| (Ok(value), &bomb).0).boxed())
    }

    #[action]
    async fn say(&self, cx: &Context<'_, Member>, number: u32) -> Result<()> {
        cx.publish(Room(1), Said(number)).await
    }

    #[action]
    async fn upload(&self, cx: &Context<'_, Member>, number: u32) -> Result<()> {
        cx.publish(Room(1), Uploaded(number)).await
    }

    #[action]
    async fn break_event(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.publish_permit(Room(1)).await?.publish(Broken);
        Ok(())
    }

    #[action]
    async fn explode(&self, cx: &Context<'_, Member>, room: u32, fails: bool) -> Result<()> {
        cx.publish(Room(room), Explosive(Bomb)).await?;
        if fails { Err(Error::conflict("It is taken.")) } else { Ok(()) }
    }

    #[action]
    async fn enter_vault(&self, cx: &Context<'_, Member>, fails: bool) -> Result<()> {
        // The clone that the call takes is the runtime's; the original is never dropped.
        let vault = std::mem::ManuallyDrop::new(Vault(Bomb));
        cx.join((*vault).clone()).await?;
        if fails { Err(Error::conflict("It is taken.")) } else { Ok(()) }
    }

    #[action]
    async fn leave_vault(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.leave(Vault(Bomb))
    }
}

fn chat() -> (Arc<State>, Endpoint<Forum>) {
    let state = Arc::new(State::default());
    (state.clone(), portcullis::websocket(Forum(state.clone())).grants(Roles(state)))
}

async fn open(chat: &Endpoint<Forum>, user: Member) -> Client {
    let mut client = connect(chat).user(user).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

/// Asserts that the connection is open and answers.
async fn assert_alive(client: &mut Client) {
    assert_eq!(client.call("ping").await.status(), 200);
}
