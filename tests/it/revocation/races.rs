//! Changes of rights that race with evaluations: nothing is delivered on old rights, twice or never.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use futures_util::{Stream, poll, stream};
use portcullis::testing::{Client, connect};
use portcullis::{
    AllowAny, ConnectContext, Context, Disconnect, Endpoint, Event, GrantKey, GrantSet, GrantSource, Group,
    GroupPermission, ObjectKey, Overwrites, Result, Scope, Streamed, UserGrants, consumer,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::common::codenames::uploads;
use crate::common::limits::without_heartbeat;
use crate::common::{Member, member};

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Channel(String);

impl GrantKey for Channel {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("channel", self.0.clone())
    }
}

/// What tests and server share.
#[derive(Default)]
struct State {
    is_revoked: AtomicBool,
    is_outside: AtomicBool,
    /// Set to let the group permission hang.
    group_permission_hangs: AtomicBool,
    /// Set to let grants and `#[connect]` notify `started` and wait for `resume`.
    is_slow: AtomicBool,
    started: Notify,
    resume: Notify,
    loads: AtomicUsize,
    overwrite_loads: AtomicUsize,
    disconnected: Notify,
}

impl State {
    async fn wait(&self) {
        if self.is_slow.load(Ordering::SeqCst) {
            self.started.notify_one();
            self.resume.notified().await;
        }
    }

    fn resume(&self) {
        self.is_slow.store(false, Ordering::SeqCst);
        self.resume.notify_one();
    }
}

#[derive(Clone)]
struct FakeGrants(Arc<State>);

impl GrantSource<Member> for FakeGrants {
    async fn load(&self, _: &Member) -> Result<UserGrants> {
        self.0.loads.fetch_add(1, Ordering::SeqCst);
        self.0.wait().await;
        let none = self.0.is_revoked.load(Ordering::SeqCst);
        Ok(if none { UserGrants::default() } else { GrantSet::from(uploads::read).into() })
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        self.0.overwrite_loads.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(objects.iter().map(|_| Overwrites::new()).collect())
    }
}

struct MayEnter;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Team, permission = MayEnter, publish = members, events(Uploaded, Bundled, Said))]
struct Room;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Team, permission = "uploads.read(channel)", publish = members, events(Said))]
struct Watchers {
    channel: Channel,
}

impl GroupPermission<Room, Team> for MayEnter {
    async fn may_join(&self, chat: &Team, _: &Scope<Member>, _: &Room) -> Result<bool> {
        if chat.0.group_permission_hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(!chat.0.is_outside.load(Ordering::SeqCst))
    }
}

#[derive(Event)]
struct Uploaded {
    channel: Channel,
    file: u32,
}

#[derive(Event)]
struct Bundled {
    channels: Vec<Channel>,
}

#[derive(Event)]
struct Said(u32);

struct Team(Arc<State>);

#[consumer(user = Member)]
impl Team {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        cx.join(Room).await?;
        if cx.user().is_some_and(|member| member.roles.contains(&"watcher")) {
            cx.join(watchers()).await?;
        }
        self.0.wait().await;
        Ok(())
    }

    #[disconnect]
    async fn disconnect(&self, _: &Disconnect<'_, Member>) {
        self.0.disconnected.notify_one();
    }

    #[event(permission = AllowAny)]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }

    #[event(permission = "uploads.read(channel)")]
    fn uploaded(&self, event: &Uploaded) -> u32 {
        event.file
    }

    #[event(permission = "uploads.read(channels)")]
    fn bundled(&self, event: &Bundled) -> usize {
        event.channels.len()
    }

    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[action(permission = AllowAny)]
    async fn watch(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(watchers()).await
    }

    /// An endless stream of one value per second.
    #[action(permission = uploads.read)]
    async fn ticks(&self) -> Result<Streamed<impl Stream<Item = Result<u32>> + use<>>> {
        Ok(Streamed(stream::unfold(0, |tick| async move {
            sleep(Duration::from_secs(1)).await;
            Some((Ok(tick), tick + 1))
        })))
    }
}

fn watchers() -> Watchers {
    Watchers { channel: Channel("a".to_owned()) }
}

fn uploaded(file: u32) -> Uploaded {
    Uploaded { channel: Channel("a".to_owned()), file }
}

fn chat() -> (Arc<State>, Endpoint<Team>) {
    let state = Arc::<State>::default();
    let limits = without_heartbeat();
    let chat = portcullis::websocket(Team(state.clone())).grants(FakeGrants(state.clone())).limits(limits);
    (state, chat)
}

async fn open(chat: &Endpoint<Team>, id: u32, roles: &[&'static str]) -> Client {
    let mut client = connect(chat).user(member(id, roles)).open().await.unwrap();
    assert_eq!(client.call("ping").await.status(), 200);
    client
}

/// More connections than are revalidated at once.
async fn open_forty(chat: &Endpoint<Team>) -> Vec<Client> {
    let mut clients = Vec::new();
    for id in 0..40 {
        clients.push(open(chat, id, &[]).await);
    }
    clients
}

async fn assert_silence(clients: &mut [Client]) {
    for client in clients {
        client.expect_silence().await;
    }
}

async fn data(client: &mut Client) -> serde_json::Value {
    client.reply().await.value()["data"].clone()
}

/// Runs a test on its own threads: an endless loop would let no timeout of its own runtime fire.
fn within_time_limit(test: impl Future<Output = ()> + Send + 'static) {
    let (ending, ended) = channel::<()>();
    let thread = std::thread::spawn(move || {
        // Dropped last, after the runtime.
        let _ending = ending;
        Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap().block_on(test);
    });
    assert_eq!(
        ended.recv_timeout(Duration::from_secs(20)),
        Err(RecvTimeoutError::Disconnected),
        "the test does not end"
    );
    thread.join().unwrap_or_else(|failure| resume_unwind(failure));
}

/// Changes the rights while grants are loaded for an event, and lets both complete.
async fn change_during_grant_load(state: &State, chat: &Endpoint<Team>, change: impl FnOnce(&State)) {
    state.is_slow.store(true, Ordering::SeqCst);
    chat.publisher().publish(&Room, uploaded(1));
    state.started.notified().await;
    change(state);
    let connections = chat.connections();
    let mut refreshing = Box::pin(connections.refresh_user("1").revalidated());
    assert!(poll!(&mut refreshing).is_pending(), "the refresh has begun, and the load has not returned");
    state.resume();
    assert!(refreshing.await.is_acknowledged());
}

#[tokio::test(start_paused = true)]
async fn event_deferred_during_a_change_is_delivered_once() {
    let (state, chat) = chat();
    let mut client = open(&chat, 1, &[]).await;
    change_during_grant_load(&state, &chat, |_| {}).await;
    assert_eq!(data(&mut client).await, 1);
    client.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn event_deferred_during_a_change_is_dropped_if_the_membership_ended() {
    let (state, chat) = chat();
    let mut client = open(&chat, 1, &[]).await;
    // The grants stay; only the group permission denies from now on.
    change_during_grant_load(&state, &chat, |state| state.is_outside.store(true, Ordering::SeqCst)).await;
    client.expect_silence().await;
}

#[test]
fn object_key_too_long_for_the_cache_is_loaded_once() {
    within_time_limit(async {
        let (state, chat) = chat();
        let mut client = open(&chat, 1, &[]).await;
        chat.publisher().publish(&Room, Uploaded { channel: Channel("x".repeat(65)), file: 1 });
        chat.publisher().publish(&Room, Said(2));
        assert_eq!((data(&mut client).await, data(&mut client).await), (json!(1), json!(2)));
        assert_eq!(state.overwrite_loads.load(Ordering::SeqCst), 1, "the loaded overwrites are used once");
    });
}

#[test]
fn event_with_more_objects_than_the_session_cache_loads_each_once() {
    within_time_limit(async {
        let (state, chat) = chat();
        let mut client = open(&chat, 1, &[]).await;
        for many in [256, 257, 1000] {
            state.overwrite_loads.store(0, Ordering::SeqCst);
            let channels = (0..many).map(|id| Channel(format!("{many}-{id}"))).collect();
            chat.publisher().publish(&Room, Bundled { channels });
            assert_eq!(data(&mut client).await, many);
            assert!(state.overwrite_loads.load(Ordering::SeqCst) <= many, "each is loaded at most once");
        }
    });
}

#[tokio::test(start_paused = true)]
async fn group_permission_by_object_is_kept_while_the_grant_lasts() {
    let (state, chat) = chat();
    let mut client = open(&chat, 1, &["watcher"]).await;
    chat.publisher().publish(&watchers(), Said(1));
    assert_eq!(data(&mut client).await, 1, "`#[connect]` loads the grants");
    let mut second = open(&chat, 2, &[]).await;
    assert_eq!(second.call("watch").await.status(), 200, "so does an action");
    assert!(chat.connections().refresh_user("1").revalidated().await.is_acknowledged());
    chat.publisher().publish(&watchers(), Said(2));
    assert_eq!(data(&mut client).await, 2, "the right is kept");
    state.is_revoked.store(true, Ordering::SeqCst);
    assert!(chat.connections().refresh_user("1").revalidated().await.is_acknowledged());
    chat.publisher().publish(&watchers(), Said(3));
    client.expect_silence().await;
    assert_eq!((data(&mut second).await, data(&mut second).await), (json!(2), json!(3)), "other members receive both");
}

#[tokio::test(start_paused = true)]
async fn refresh_that_is_dropped_completes() {
    let (state, chat) = chat();
    let mut clients = open_forty(&chat).await;
    state.group_permission_hangs.store(true, Ordering::SeqCst);
    let outcome = timeout(Duration::from_secs(5), chat.connections().refresh_all().revalidated()).await;
    assert!(outcome.is_err(), "the refresh was dropped half way");
    chat.publisher().publish(&Room, Said(1));
    for client in &mut clients {
        assert_eq!(client.closed().await, 4500, "the permission could not be evaluated");
    }
}

#[tokio::test(start_paused = true)]
async fn events_are_deferred_while_a_refresh_runs() {
    let (state, chat) = chat();
    let mut clients = open_forty(&chat).await;
    state.group_permission_hangs.store(true, Ordering::SeqCst);
    let connections = chat.connections();
    let mut refreshing = Box::pin(connections.refresh_all().revalidated());
    assert!(poll!(&mut refreshing).is_pending());
    chat.publisher().publish(&Room, Said(1));
    assert_silence(&mut clients).await;
    assert!(poll!(&mut refreshing).is_pending(), "the refresh is still running");
    assert!(refreshing.await.is_acknowledged());
    for client in &mut clients {
        assert_eq!(client.closed().await, 4500, "the permission could not be evaluated");
    }
}

#[tokio::test(start_paused = true)]
async fn user_disconnected_during_the_connect_hook_is_closed() {
    let (state, chat) = chat();
    state.is_slow.store(true, Ordering::SeqCst);
    let mut client = connect(&chat).user(member(1, &[])).open().await.unwrap();
    state.started.notified().await;
    assert!(chat.connections().disconnect_user("1").await.is_acknowledged());
    state.resume();
    chat.publisher().publish(&Room, Said(1));
    assert_eq!(client.closed().await, 4403);
}

#[tokio::test(start_paused = true)]
async fn deferred_events_of_an_ended_connection_load_no_grants() {
    let (state, chat) = chat();
    let client = open(&chat, 1, &[]).await;
    state.is_slow.store(true, Ordering::SeqCst);
    for file in 0..100 {
        chat.publisher().publish(&Room, uploaded(file));
    }
    state.started.notified().await;
    drop(client);
    state.disconnected.notified().await;
    // Nothing resumes the source: each further load would take until its timeout.
    sleep(Duration::from_hours(3)).await;
    assert_eq!(state.loads.load(Ordering::SeqCst), 1, "only the load that had begun");
}

#[tokio::test(start_paused = true)]
async fn stream_ends_when_its_grant_is_revoked() {
    let (state, chat) = chat();
    let mut client = open(&chat, 1, &[]).await;
    client.send(r#"{"action":"ticks"}"#);
    assert_eq!(client.reply().await.status(), 200);
    state.is_revoked.store(true, Ordering::SeqCst);
    assert!(chat.connections().refresh_user("1").revalidated().await.is_acknowledged());
    let mut more = 0;
    while client.reply().await.status() == 200 {
        more += 1;
        assert!(more < 3, "the stream continues");
    }
    assert_eq!(client.call("ping").await.status(), 200, "the connection is open");
    client.expect_silence().await;
}

/// On several threads, with a change about every second event: each event arrives once, in order.
#[test]
fn deferred_events_during_changes_arrive_once_in_order() {
    const ROUNDS: u32 = 5000;

    within_time_limit(async {
        let (_, chat) = chat();
        let mut client = open(&chat, 1, &[]).await;
        let (connections, changes) = (chat.connections(), Arc::new(AtomicUsize::new(0)));
        let counted = changes.clone();
        tokio::spawn(async move {
            loop {
                assert!(connections.refresh_user("1").revalidated().await.is_acknowledged());
                let change = counted.fetch_add(1, Ordering::SeqCst);
                for _ in 0..change * 7919 % 400 {
                    tokio::task::yield_now().await;
                }
            }
        });
        for round in 0..ROUNDS {
            for file in round * 8..round * 8 + 8 {
                chat.publisher().publish(&Room, uploaded(file));
            }
            for file in round * 8..round * 8 + 8 {
                let came = timeout(Duration::from_secs(5), data(&mut client)).await;
                assert_eq!(came, Ok(json!(file)), "round {round}");
            }
        }
        assert!(changes.load(Ordering::SeqCst) > 100, "too few changes: {changes:?}");
    });
}
