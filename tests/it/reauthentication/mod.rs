//! `#[authenticate]` and expiry: credentials expire, and fresh ones replace them on the same connection.

mod anonymous;
mod expiry;
mod joins;
mod kept_answers;
mod outcomes;
mod queue;
mod random;
mod rate_limit;
mod rights;
mod running_actions;
mod socket;
mod within;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use portcullis::http::StatusCode;
use portcullis::testing::{Client, ClientCall, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Disconnect, Endpoint, Error, Event, EventPermission, GrantSet, GrantSource,
    Group, GroupPermission, Limits, Permission, PermissionContext, Result, Scope, Streamed, User, UserGrants, consumer,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::common::codenames::uploads;

/// A user with the rights that the token names.
#[derive(Clone)]
struct Member {
    id: String,
    rights: String,
    expires_at: Option<SystemTime>,
}

impl Member {
    fn may(&self, right: &str) -> bool {
        self.rights.split(',').any(|own| own == right)
    }
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }

    fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

/// Parses a token: `7 see,inside 60` is user 7 with two rights for 60 seconds; without a number it does not expire.
fn member(token: &str) -> Member {
    let mut parts = token.split(' ');
    let mut part = || parts.next().map(str::to_owned);
    let (id, rights) = (part().unwrap(), part().unwrap_or_default());
    let expires_at = part().map(|seconds| SystemTime::now() + Duration::from_secs(seconds.parse().unwrap()));
    Member { id, rights, expires_at }
}

/// What tests and server share.
#[derive(Default)]
struct State {
    /// Lets an action continue.
    resume: Notify,
    /// Lets `#[authenticate]` continue with a token that starts with `wait`.
    authenticate_permit: Notify,
    /// How often each evaluation yields before it returns.
    yields_per_evaluation: AtomicUsize,
    /// The number of evaluations.
    evaluations: AtomicUsize,
    /// Set to let group permissions hang.
    group_permission_hangs: AtomicBool,
    /// Set to revoke all grants.
    grants_revoked: AtomicBool,
    /// What has ended: actions, streams and connections, in order.
    end_log: Mutex<Vec<&'static str>>,
    disconnected: Notify,
}

impl State {
    async fn wait(&self) {
        for _ in 0..self.yields_per_evaluation.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
        self.evaluations.fetch_add(1, Ordering::SeqCst);
    }

    fn end_log(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.end_log.lock().unwrap())
    }
}

/// Records that it was dropped.
struct EndLogger(Arc<State>, &'static str);

impl Drop for EndLogger {
    fn drop(&mut self) {
        self.0.end_log.lock().unwrap().push(self.1);
    }
}

/// Grants `uploads.read` to users with the right `see`.
struct FakeGrants(Arc<State>);

impl GrantSource<Member> for FakeGrants {
    async fn load(&self, user: &Member) -> Result<UserGrants> {
        self.0.wait().await;
        Ok(if user.may("see") && !self.0.grants_revoked.load(Ordering::SeqCst) {
            GrantSet::from(uploads::read).into()
        } else {
            UserGrants::default()
        })
    }
}

struct Portal(Arc<State>);

/// An extension that `#[connect]` inserts.
#[derive(Clone)]
struct ConnectNote(&'static str);

/// Holds if the user has this right.
struct May(&'static str);

impl Permission<Portal> for May {
    async fn has_permission(&self, chat: &Portal, cx: &PermissionContext<'_, Member>) -> Result<bool> {
        chat.0.wait().await;
        Ok(cx.user().is_some_and(|member| member.may(self.0)))
    }

    async fn can_connect(&self, chat: &Portal, cx: &ConnectContext<'_, Member>) -> Result<Option<bool>> {
        chat.0.wait().await;
        Ok(Some(cx.user().is_some_and(|member| member.may(self.0))))
    }
}

impl<G: Sync> GroupPermission<G, Portal> for May {
    async fn may_join(&self, chat: &Portal, scope: &Scope<Member>, _: &G) -> Result<bool> {
        chat.0.wait().await;
        if chat.0.group_permission_hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(scope.user().is_some_and(|member| member.may(self.0)))
    }
}

impl<E> EventPermission<E, Portal> for May {
    fn may_see(&self, _: &Portal, scope: &Scope<Member>, _: &E) -> bool {
        scope.user().is_some_and(|member| member.may(self.0))
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Portal, permission = AllowAny, publish = members, events(Said, Uploaded, Whispered, Personal))]
struct Lobby;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Portal, permission = May("inside"), publish = members, events(Said))]
struct Room;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Portal, permission = uploads.read, publish = members, events(Said))]
struct Club;

#[derive(Event)]
struct Said(u32);
#[derive(Event)]
struct Uploaded(u32);
#[derive(Event)]
struct Whispered(u32);
#[derive(Event)]
struct Personal(u32);

#[consumer(user = Member, permission = !May("banned"))]
impl Portal {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.insert(ConnectNote("from the beginning"));
        cx.join(Lobby).await?;
        for joined in [cx.join(Room).await, cx.join(Club).await] {
            match joined {
                Err(error) if error.status() != 403 => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    #[disconnect]
    async fn disconnect(&self, _: &Disconnect<'_, Member>) {
        self.0.end_log.lock().unwrap().push("connection");
        self.0.disconnected.notify_one();
    }

    #[authenticate]
    async fn renew(&self, token: String) -> Result<Option<Member>> {
        self.0.wait().await;
        let token = match token.strip_prefix("wait ") {
            Some(token) => {
                self.0.authenticate_permit.notified().await;
                token
            }
            None => &token,
        };
        match token {
            "nobody" => Ok(None),
            "teapot" => Err(Error::new(StatusCode::IM_A_TEAPOT, "teapot", "Short and stout.")),
            "fault" => Err(Error::internal("the store's secret")),
            "panic" => panic!("the store's secret"),
            "hang" => std::future::pending().await,
            token => Ok(Some(member(token))),
        }
    }

    #[action]
    async fn ping(&self) {}

    #[action]
    async fn whoami(&self, cx: &Context<'_, Member>) -> Option<(String, String)> {
        cx.user().map(|member| (member.id.clone(), member.rights.clone()))
    }

    /// Returns the request of the handshake and the extension, which outlive a change of users.
    #[action]
    async fn came_by(&self, cx: &Context<'_, Member>) -> (String, Option<&'static str>) {
        let note = cx.scope().extension::<ConnectNote>();
        let query: Vec<(String, String)> = cx.scope().query().unwrap_or_default();
        (format!("{}?{query:?}", cx.scope().path()), note.map(|note| note.0))
    }

    #[action(permission = May("call"))]
    async fn call(&self) {}

    #[action(permission = uploads.read)]
    async fn uploads(&self) {}

    #[action]
    async fn enter(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room).await
    }

    /// Joins the room after `resume`.
    #[action]
    async fn enter_later(&self, cx: &Context<'_, Member>) -> Result<()> {
        self.0.resume.notified().await;
        cx.join(Room).await
    }

    #[action]
    async fn enter_club_later(&self, cx: &Context<'_, Member>) -> Result<()> {
        self.0.resume.notified().await;
        cx.join(Club).await
    }

    /// Fails with an error that only permitted callers may read.
    #[action(permission = May("call"))]
    async fn fail_later(&self) -> Result<()> {
        self.0.resume.notified().await;
        Err(Error::conflict("It is taken."))
    }

    /// Revokes all grants and forgets those of its own session.
    #[action]
    async fn resign_later(&self, cx: &Context<'_, Member>) {
        self.0.resume.notified().await;
        self.0.grants_revoked.store(true, Ordering::SeqCst);
        cx.scope().forget_grants();
    }

    /// Streams large values without a pause.
    #[action]
    async fn flood(&self) -> Streamed<impl futures_util::Stream<Item = String> + use<>> {
        Streamed(futures_util::stream::repeat("x".repeat(100_000)))
    }

    /// Waits for `resume`.
    #[action(permission = May("call"))]
    async fn hang(&self) {
        let _guard = EndLogger(self.0.clone(), "action");
        self.0.resume.notified().await;
    }

    /// Waits for `resume`, also for anonymous clients.
    #[action]
    async fn public_hang(&self) {
        let _guard = EndLogger(self.0.clone(), "action");
        self.0.resume.notified().await;
    }

    /// Streams one value per second.
    #[action(permission = May("call"), in_order)]
    async fn stream(&self) -> Streamed<impl futures_util::Stream<Item = u8> + use<>> {
        let guard = EndLogger(self.0.clone(), "stream");
        Streamed(futures_util::stream::unfold(guard, |guard| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((1, guard))
        }))
    }

    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }

    #[event(permission = uploads.read)]
    fn uploaded(&self, event: &Uploaded) -> u32 {
        event.0
    }

    #[event(permission = May("hear"))]
    fn whispered(&self, event: &Whispered) -> u32 {
        event.0
    }

    /// The number of the event and the rights of the receiver.
    #[event(permission = AllowAny)]
    fn personal(&self, event: &Personal, scope: &Scope<Member>) -> Option<(u32, String)> {
        scope.user().map(|member| (event.0, member.rights.clone()))
    }
}

struct Fixture {
    state: Arc<State>,
    chat: Endpoint<Portal>,
}

/// With an action timeout of five seconds and no effective rate limit.
fn fixture() -> Fixture {
    let state = Arc::<State>::default();
    let limits =
        Limits { action_timeout: Duration::from_secs(5), max_authenticate_per_minute: 1_000_000, ..Limits::default() };
    Fixture {
        chat: portcullis::websocket(Portal(state.clone())).grants(FakeGrants(state.clone())).limits(limits),
        state,
    }
}

impl Fixture {
    /// Connects as the user of a token.
    async fn open(&self, token: &str) -> Client {
        let mut client = connect(&self.chat).user(member(token)).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        client
    }

    /// Connects anonymously.
    async fn open_anonymous(&self) -> Client {
        let mut client = connect(&self.chat).open().await.unwrap();
        assert_eq!(client.call("ping").await.status(), 200);
        client
    }
}

fn authenticate<'c>(client: &'c mut Client, token: &str) -> ClientCall<'c> {
    client.call("authenticate").with("token", token)
}

/// Sends `authenticate` without waiting for the reply.
fn send_authenticate(client: &mut Client, token: &str, id: &str) {
    client.send(json!({"action": "authenticate", "token": token, "request_id": id}).to_string());
}

/// Calls an action without waiting for the reply.
fn send_action(client: &mut Client, action: &str) {
    client.send(json!({"action": action, "request_id": action}).to_string());
}

async fn next(client: &mut Client) -> Value {
    client.reply().await.value().clone()
}

/// Returns the id and the status of the next reply.
async fn next_status(client: &mut Client) -> (String, u16) {
    let reply = client.reply().await;
    (reply.value()["request_id"].as_str().unwrap_or_default().to_owned(), reply.status())
}

/// Returns the data of a `personal` event: the rights of the connection's user.
async fn personal(fixture: &Fixture, client: &mut Client) -> Value {
    fixture.chat.publisher().publish(&Lobby, Personal(0));
    next(client).await["data"].clone()
}
