//! The consumer that the tests observe.

use std::borrow::Cow;
use std::sync::Arc;

use futures_util::stream::{self, Stream, StreamExt};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, CloseCode, Context, Endpoint, Error, Event, EventPermission, GrantSet, GrantSource, Group, Handler,
    IsAuthenticated, NoReply, Permission, PermissionContext, Result, Scope, Streamed, User, UserGrants, consumer,
    handler, permissions,
};
use tokio::sync::Semaphore;

permissions! {
    pub desks { manage = "Manages desks" }
}

pub(crate) struct Clerk(pub String);

impl User for Clerk {
    fn id(&self) -> Cow<'_, str> {
        self.0.as_str().into()
    }
}

pub(crate) struct Desk {
    pub(crate) drawer: Drawer,
    pub(crate) steps: Steps,
}

/// Orders the steps of actions and of a test.
#[derive(Clone)]
pub(crate) struct Steps {
    started: Arc<Semaphore>,
    resumed: Arc<Semaphore>,
}

impl Steps {
    /// The wait of an action.
    async fn wait(&self) {
        self.started.add_permits(1);
        self.resumed.acquire().await.unwrap().forget();
    }

    /// Waits until `count` further actions wait.
    pub(crate) async fn started(&self, count: u32) {
        self.started.acquire_many(count).await.unwrap().forget();
    }

    /// Lets `count` actions go on.
    pub(crate) fn resume(&self, count: usize) {
        self.resumed.add_permits(count);
    }
}

pub(crate) struct Drawer;

struct IsManager;

impl<H: Handler<User = Clerk>> Permission<H> for IsManager {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Clerk>) -> Result<bool> {
        Ok(cx.user().is_some_and(|clerk| clerk.0.starts_with("manager")))
    }
}

#[derive(Event)]
pub(crate) struct Said(pub u32);

#[derive(Event)]
pub(crate) struct Secret;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Desk, permission = AllowAny, publish = AllowAny, events(Said, Secret))]
pub(crate) struct Hall(pub u32);

/// Its members learn who is in it.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Desk, permission = AllowAny, publish = AllowAny, events(Said), presence = AllowAny, announce)]
pub(crate) struct Lounge;

pub(crate) struct Grants;

impl GrantSource<Clerk> for Grants {
    async fn load(&self, clerk: &Clerk) -> Result<UserGrants> {
        match clerk.0.as_str() {
            "ungranted" => Err(Error::internal("no database")),
            _ => Ok(GrantSet::default().into()),
        }
    }
}

#[consumer(user = Clerk)]
impl Desk {
    #[authenticate]
    async fn log_in(&self, name: String) -> Result<Option<Clerk>> {
        tracing::info!("inside log_in");
        Ok(Some(Clerk(name)))
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {
        tracing::info!("inside ping");
    }

    #[action(permission = AllowAny)]
    async fn silent(&self) -> NoReply {
        NoReply
    }

    #[action(permission = IsManager)]
    async fn guarded(&self) {}

    #[action(permission = "IsAuthenticated & desks.manage")]
    async fn granted(&self) {}

    #[action(permission = AllowAny)]
    async fn fails(&self) -> Result<()> {
        Err(Error::internal("broken"))
    }

    #[action(permission = AllowAny)]
    async fn panics(&self) {
        panic!("no memory")
    }

    #[action(permission = AllowAny, timeout = "20ms")]
    async fn hangs(&self) {
        std::future::pending::<()>().await;
    }

    #[action(permission = AllowAny)]
    async fn wait(&self) {
        self.steps.wait().await;
        tracing::info!("inside wait");
    }

    #[action(permission = AllowAny, detached)]
    async fn wait_detached(&self) {
        self.steps.wait().await;
        tracing::info!("inside wait_detached");
    }

    #[action(permission = AllowAny, blocking)]
    fn block(&self) {
        tracing::info!("inside block");
    }

    #[action(permission = AllowAny)]
    async fn count(&self, to: u32) -> Streamed<impl Stream<Item = u32> + use<>> {
        let steps = self.steps.clone();
        Streamed(stream::iter(1..=to).then(move |number| {
            let steps = steps.clone();
            async move {
                steps.wait().await;
                tracing::info!("inside count");
                number
            }
        }))
    }

    #[action(permission = AllowAny)]
    async fn join(&self, cx: &Context<'_, Clerk>, hall: u32) -> Result<()> {
        cx.join(Hall(hall)).await
    }

    #[action(permission = AllowAny)]
    async fn relax(&self, cx: &Context<'_, Clerk>) -> Result<()> {
        cx.join(Lounge).await
    }

    #[action(permission = AllowAny)]
    async fn leave(&self, cx: &Context<'_, Clerk>, hall: u32) -> Result<()> {
        cx.leave(Hall(hall))
    }

    #[action(permission = AllowAny)]
    async fn say(&self, cx: &Context<'_, Clerk>, hall: u32) -> Result<()> {
        cx.publish(Hall(hall), Said(hall)).await
    }

    #[action(permission = AllowAny)]
    async fn quit(&self, cx: &Context<'_, Clerk>) -> Result<()> {
        const DONE: CloseCode = CloseCode::new(4001);
        cx.close(DONE, "done")
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> u32 {
        event.0
    }

    #[event(permission = IsManagerEvent)]
    fn secret(_event: &Secret) -> &'static str {
        "secret"
    }

    #[route("drawers/{id}/")]
    fn drawer(&self) -> &Drawer {
        &self.drawer
    }
}

struct IsManagerEvent;

impl EventPermission<Secret, Desk> for IsManagerEvent {
    fn may_see(&self, _: &Desk, scope: &Scope<Clerk>, _: &Secret) -> bool {
        scope.user().is_some_and(|clerk| clerk.0.starts_with("manager"))
    }
}

#[handler(user = Clerk)]
impl Drawer {
    #[action(permission = AllowAny)]
    async fn open(&self) {}
}

/// Returns an endpoint, and the steps of its waiting actions.
pub(crate) fn desk() -> (Endpoint<Desk>, Steps) {
    let steps = Steps { started: Arc::new(Semaphore::new(0)), resumed: Arc::new(Semaphore::new(0)) };
    (portcullis::websocket(Desk { drawer: Drawer, steps: steps.clone() }).grants(Grants), steps)
}

/// Connects a user.
pub(crate) async fn open(endpoint: &Endpoint<Desk>, name: &str) -> Client {
    connect(endpoint).user(Clerk(name.to_owned())).open().await.unwrap()
}
