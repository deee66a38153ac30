//! A subscriber that panics at log entries loses these entries and harms nothing else: what the entry is about happens
//! nevertheless.

mod connections;
mod rights;

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Disconnect, Endpoint, Error, Event, EventPermission, GrantSet, GrantSource,
    Group, GroupPermission, IsAuthenticated, Limits, Permission, PermissionContext, Result, Scope, UserGrants,
    consumer, websocket,
};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::field::{Field, Visit};
use tracing::{Event as LogEntry, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{self, SubscriberExt};

use super::desk::{Clerk, desks};
use crate::common::limits::without_heartbeat;
use crate::common::log_capture::keep_enabled;

const MAX_AGE: Duration = Duration::from_mins(1);

/// Panics at the log entries of the library with this text, or at all.
struct Panics {
    text: Option<&'static str>,
    count: Arc<AtomicUsize>,
}

impl<S: Subscriber> Layer<S> for Panics {
    fn on_event(&self, entry: &LogEntry<'_>, _: layer::Context<'_, S>) {
        let mut message = Message(String::new());
        entry.record(&mut message);
        let is_ours = entry.metadata().target().starts_with("portcullis");
        if is_ours && self.text.is_none_or(|text| message.0.starts_with(text)) {
            self.count.fetch_add(1, Ordering::Relaxed);
            panic!("the log cannot be written");
        }
    }
}

/// The text of a log entry.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// Runs a test with a subscriber that panics at all log entries, and with one for each of these entries, which the test must
/// cause. On threads of their own: a test that never waits fails.
fn run(entries: &[&'static str], test: impl AsyncFn() + Copy + Send + 'static) {
    keep_enabled();
    let texts = entries.iter().copied().map(Some).chain([None]);
    for text in texts {
        let count = Arc::new(AtomicUsize::new(0));
        let layer = Panics { text, count: count.clone() };
        let (sender, ended) = mpsc::channel();
        let thread = thread::spawn(move || {
            let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
            let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
            runtime.block_on(test());
            drop(runtime);
            sender.send(()).unwrap();
        });
        let outcome = ended.recv_timeout(Duration::from_mins(1));
        assert_ne!(outcome, Err(mpsc::RecvTimeoutError::Timeout), "{text:?}: the runtime hangs");
        assert!(thread.join().is_ok(), "{text:?}");
        let count = count.load(Ordering::Relaxed);
        assert!((1..100).contains(&count), "{text:?}: {count} entries");
    }
}

/// What a callback of the application does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Outcome {
    #[default]
    Allow,
    Refuse,
    Fail,
    /// Fails once and then allows.
    FailOnce,
}

#[derive(Default)]
struct Callback(Mutex<Outcome>);

impl Callback {
    fn set(&self, outcome: Outcome) {
        *self.0.lock().unwrap() = outcome;
    }

    fn call(&self) -> Result<bool> {
        let mut outcome = self.0.lock().unwrap();
        match *outcome {
            Outcome::Allow => Ok(true),
            Outcome::Refuse => Ok(false),
            Outcome::Fail => Err(Error::internal("no database")),
            Outcome::FailOnce => {
                *outcome = Outcome::Allow;
                Err(Error::internal("no database"))
            }
        }
    }
}

struct State {
    connects: Callback,
    joins: Callback,
    loads: Callback,
    disconnected: Semaphore,
}

struct Office(Arc<State>);

struct Grants(Arc<State>);

impl GrantSource<Clerk> for Grants {
    async fn load(&self, _: &Clerk) -> Result<UserGrants> {
        Ok(if self.0.loads.call()? { GrantSet::from(desks::manage).into() } else { UserGrants::default() })
    }
}

struct MayConnect;

impl Permission<Office> for MayConnect {
    async fn has_permission(&self, _: &Office, _: &PermissionContext<'_, Clerk>) -> Result<bool> {
        Ok(true)
    }

    async fn can_connect(&self, office: &Office, _: &ConnectContext<'_, Clerk>) -> Result<Option<bool>> {
        office.0.connects.call().map(Some)
    }
}

struct MayEnter;

impl GroupPermission<Room, Office> for MayEnter {
    async fn may_join(&self, office: &Office, _: &Scope<Clerk>, _: &Room) -> Result<bool> {
        office.0.joins.call()
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Office, permission = MayEnter, publish = members, events(Said, Filed, Torn))]
struct Room;

#[derive(Event)]
struct Said(u32);

#[derive(Event)]
struct Filed(u32);

#[derive(Event)]
struct Torn;

struct PanicsAtEvent;

impl EventPermission<Torn, Office> for PanicsAtEvent {
    fn may_see(&self, _: &Office, _: &Scope<Clerk>, _: &Torn) -> bool {
        panic!("no memory")
    }
}

#[consumer(user = Clerk, permission = MayConnect)]
impl Office {
    #[disconnect]
    async fn disconnect(&self, _: &Disconnect<'_, Clerk>) {
        self.0.disconnected.add_permits(1);
    }

    #[action]
    async fn ping(&self) {}

    #[action]
    async fn enter(&self, cx: &Context<'_, Clerk>) -> Result<()> {
        cx.join(Room).await
    }

    #[action]
    async fn follow(&self, cx: &Context<'_, Clerk>) -> Result<()> {
        cx.subscribe(Room).await
    }

    #[action(permission = "IsAuthenticated & desks.manage")]
    async fn read(&self) {}

    #[action]
    async fn fails(&self) -> Result<()> {
        Err(Error::internal("broken"))
    }

    #[action]
    async fn panics(&self) {
        panic!("no memory")
    }

    #[action(detached)]
    async fn fails_detached(&self) -> Result<()> {
        Err(Error::internal("broken"))
    }

    #[action]
    async fn wait(&self) {
        pending::<()>().await;
    }

    #[event(permission = AllowAny)]
    fn said(event: &Said) -> u32 {
        event.0
    }

    #[event(permission = desks.manage)]
    fn filed(event: &Filed) -> u32 {
        event.0
    }

    #[event(permission = PanicsAtEvent)]
    fn torn(_event: &Torn) -> u32 {
        0
    }
}

struct Fixture {
    state: Arc<State>,
    endpoint: Endpoint<Office>,
}

impl Fixture {
    fn new() -> Fixture {
        let [connects, joins, loads] = Default::default();
        let state = Arc::new(State { connects, joins, loads, disconnected: Semaphore::new(0) });
        let limits = Limits { grants_max_age: Some(MAX_AGE), ..without_heartbeat() };
        let endpoint = websocket(Office(state.clone())).grants(Grants(state.clone())).limits(limits);
        Fixture { state, endpoint }
    }

    /// Connects a user whose grants are loaded.
    async fn open(&self) -> Client {
        let mut client = connect(&self.endpoint).user(Clerk("ada".to_owned())).open().await.unwrap();
        assert_eq!(client.call("read").await.status(), 200);
        client
    }

    /// Connects a member of the group.
    async fn open_member(&self) -> Client {
        let mut client = self.open().await;
        assert_eq!(client.call("enter").await.status(), 200);
        client
    }

    fn say(&self, number: u32) {
        self.endpoint.publisher().publish(&Room, Said(number));
    }

    async fn refresh(&self) {
        let refreshed = self.endpoint.connections().refresh_user("ada").revalidated();
        let refreshed = timeout(Duration::from_mins(5), refreshed).await.expect("the revalidation ends");
        assert!(refreshed.is_acknowledged());
    }

    /// Waits until `#[disconnect]` has run.
    async fn disconnected(&self) {
        let disconnected = timeout(Duration::from_mins(5), self.state.disconnected.acquire()).await;
        disconnected.expect("`#[disconnect]` runs").unwrap().forget();
    }
}
