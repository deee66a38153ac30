//! The server under load: rooms with events, a source of grants that fails, hangs and panics, revocations, and a publisher.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{Stream, stream};
use portcullis::http::request::Parts;
use portcullis::{
    AllowAny, Context, DenyAll, Disconnect, DisconnectReason, Drain, DrainReport, Endpoint, Error, Event,
    EventPermission, GrantSet, GrantSource, Group, IsAuthenticated, Limits, Result, Scope, Snapshot, Streamed, User,
    UserGrants, consumer,
};
use serde::Serialize;
use tokio::net::TcpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::clients::Behavior;
use crate::ledger::{Ledger, Stage, count};

portcullis::permissions! {
    rooms { read = "Receives what is said in rooms" }
}

/// Each room has about a hundred members.
const MEMBERS_PER_ROOM: usize = 100;
/// What is said. With the buffers below, a client that does not read is slow within seconds.
pub(crate) const TEXT: &str = "The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. \
    The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps \
    over the lazy dog. The quick brown fox jumps over the lazy dog.";
const SEND_BUFFER: u32 = 16 * 1024;
/// How often something is said in one of the rooms, and how often a user loses rights.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(15);
const REVOKE_INTERVAL: Duration = Duration::from_millis(25);
const REVOKED_FOR: Duration = Duration::from_millis(700);
/// The time over which a drain closes the connections.
pub(crate) const DRAIN_WINDOW: Duration = Duration::from_secs(4);

pub(crate) struct Member {
    pub(crate) number: usize,
    id: String,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }
}

/// A source of grants of which every fiftieth call fails: of four such calls, one panics, and one hangs.
struct Faulty {
    ledger: Arc<Ledger>,
    calls: AtomicU64,
}

impl GrantSource<Member> for Faulty {
    async fn load(&self, member: &Member) -> Result<UserGrants> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if call % 50 == 49 && self.ledger.stage() == Stage::Load {
            self.ledger.record_fault(member.number);
            match call % 200 {
                99 => panic!("{SCRIPTED_PANIC}"),
                199 => self.ledger.reached(Stage::Calm).await,
                _ => {}
            }
            return Err(Error::internal("the source failed"));
        }
        let has_access = self.ledger.users()[member.number].has_access();
        Ok(if has_access { GrantSet::from_names(["rooms.read"]).into() } else { GrantSet::new().into() })
    }
}

/// The message of panics that belong to the load.
const SCRIPTED_PANIC: &str = "the source panicked";

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Rooms, permission = IsAuthenticated, publish = DenyAll, events(Said))]
struct Room(usize);

#[derive(Event)]
struct Said {
    number: u64,
}

/// Always holds. Records that the rest of the permission held.
struct Recorded;

impl EventPermission<Said, Rooms> for Recorded {
    fn may_see(&self, rooms: &Rooms, scope: &Scope<Member>, event: &Said) -> bool {
        if let Some(member) = scope.user() {
            rooms.ledger.users()[member.number].record_authorization(event.number);
        }
        true
    }
}

#[derive(Serialize)]
struct Line {
    number: u64,
    text: &'static str,
}

pub(crate) struct Rooms {
    ledger: Arc<Ledger>,
}

#[consumer(user = Member)]
impl Rooms {
    #[connect]
    async fn opened(&self) {
        count(&self.ledger.connected);
    }

    #[disconnect]
    async fn closed(&self, disconnect: &Disconnect<'_, Member>) {
        let code = match disconnect.reason() {
            DisconnectReason::Closed { code, .. } => code,
            _ => 0,
        };
        if let Some(member) = disconnect.user() {
            self.ledger.record_disconnect(Behavior::of(member.number), code);
        }
    }

    #[action(permission = IsAuthenticated)]
    async fn watch(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room(self.ledger.room_of_user(cx.require_user()?.number))).await
    }

    #[action(permission = AllowAny)]
    async fn echo(&self, n: u64) -> u64 {
        n
    }

    #[action(permission = "rooms.read")]
    async fn read(&self) -> &'static str {
        TEXT
    }

    #[action(permission = AllowAny, detached)]
    async fn slow(&self) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    #[action(permission = AllowAny)]
    async fn count(&self, to: u8) -> Streamed<impl Stream<Item = u8> + use<>> {
        Streamed(stream::iter(1..=to))
    }

    #[event(permission = "rooms.read & Recorded")]
    fn said(event: &Said) -> Line {
        Line { number: event.number, text: TEXT }
    }
}

/// Trusts the number in the query.
fn member(parts: &Parts) -> Option<Member> {
    let id = parts.uri.query()?.strip_prefix("user=")?;
    Some(Member { number: id.parse().ok()?, id: id.to_owned() })
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) endpoint: Endpoint<Rooms>,
    ledger: Arc<Ledger>,
    /// Those that change rights.
    changes: JoinSet<()>,
    tasks: JoinSet<()>,
    stop: oneshot::Sender<()>,
}

/// The end of a phase.
pub(crate) struct Ended {
    pub(crate) drain: DrainReport,
    pub(crate) drain_time: Duration,
    pub(crate) snapshot: Snapshot,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) async fn start(ledger: Arc<Ledger>, seed: u64) -> std::io::Result<Server> {
        let limits = Limits {
            action_timeout: Duration::from_secs(8),
            ping_interval: Duration::from_secs(4),
            idle_timeout: Duration::from_secs(10),
            // The queue of a client that reads slowly is full before that.
            send_timeout: Duration::from_secs(30),
            max_queued_events: 64,
            ..Limits::default()
        };
        let endpoint = portcullis::websocket(Rooms { ledger: ledger.clone() })
            .authenticate(|parts: &Parts| std::future::ready(Ok(member(parts))))
            .grants(Faulty { ledger: ledger.clone(), calls: AtomicU64::new(0) })
            .limits(limits);
        let socket = TcpSocket::new_v4()?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind(([127, 0, 0, 1], 0).into())?;
        let listener = socket.listen(1024)?;
        let (address, (stop, stopped)) = (listener.local_addr()?, oneshot::channel());
        let app = axum::Router::new().route("/ws", endpoint.clone().into_route());
        let (mut changes, mut tasks) = (JoinSet::new(), JoinSet::new());
        tasks.spawn(async move {
            let served = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) }).await;
            served.unwrap_or_else(|error| eprintln!("the server failed: {error}"));
        });
        tasks.spawn(publish(endpoint.clone(), ledger.clone()));
        changes.spawn(revoke(endpoint.clone(), ledger.clone(), seed));
        changes.spawn(refresh(endpoint.clone(), ledger.clone()));
        Ok(Server { address, endpoint, ledger, changes, tasks, stop })
    }

    /// Ends faults and revocations, and then closes all connections.
    pub(crate) async fn drain(&mut self) -> Ended {
        self.ledger.enter(Stage::Calm);
        while let Some(ended) = self.changes.join_next().await {
            self.ledger.record_task(&ended);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.ledger.enter(Stage::Drain);
        let start = *self.ledger.drain_start.get_or_init(Instant::now);
        let (drain, deadline) = (self.endpoint.drain_handle(), Duration::from_secs(20));
        drain.start(Drain { notice: Duration::ZERO, window: DRAIN_WINDOW, deadline });
        let report = drain.finished().await;
        Ended { drain: report, drain_time: start.elapsed(), snapshot: self.endpoint.snapshot() }
    }

    /// Ends the server, and waits until its tasks have ended.
    pub(crate) async fn stop(self) {
        let Server { endpoint, ledger, mut tasks, stop, .. } = self;
        ledger.enter(Stage::End);
        drop((endpoint, stop));
        while let Some(ended) = tasks.join_next().await {
            ledger.record_task(&ended);
        }
        // Tasks of the endpoint end when nothing uses it any more.
        let runtime = tokio::runtime::Handle::current();
        for _ in 0..50 {
            if runtime.metrics().num_alive_tasks() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Panics that do not belong to the load.
pub(crate) static UNEXPECTED_PANICS: AtomicU64 = AtomicU64::new(0);

/// The panic of the source is part of the load, and would fill the screen. All others are counted.
pub(crate) fn count_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() != Some(SCRIPTED_PANIC) {
            count(&UNEXPECTED_PANICS);
            default(panic);
        }
    }));
}

/// Returns the number of rooms for so many users.
pub(crate) fn rooms(users: usize) -> usize {
    users.div_ceil(MEMBERS_PER_ROOM)
}

/// Says something in one room after the other.
async fn publish(endpoint: Endpoint<Rooms>, ledger: Arc<Ledger>) {
    let publisher = endpoint.publisher();
    while ledger.stage() < Stage::End {
        publisher.ready().await;
        let number = ledger.take_event();
        let room = ledger.room_of_event(number);
        for user in (room..ledger.users().len()).step_by(ledger.rooms) {
            let rights = &ledger.users()[user];
            if rights.is_watching.load(Ordering::SeqCst) && rights.hides_new(number) {
                count(&ledger.hidden);
            }
        }
        publisher.publish(&Room(room), Said { number });
        ledger.sleep(PUBLISH_INTERVAL, Stage::End).await;
    }
}

/// Takes the right away from one user after the other, and gives it back.
async fn revoke(endpoint: Endpoint<Rooms>, ledger: Arc<Ledger>, seed: u64) {
    let connections = endpoint.connections();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut revoked = JoinSet::new();
    while ledger.stage() == Stage::Load {
        let user = random.usize(..ledger.users().len());
        // One revocation of a user at a time.
        if ledger.users()[user].phase().is_granted() {
            ledger.users()[user].begin_revocation(ledger.next_event());
            let (ledger, connections) = (ledger.clone(), connections.clone());
            revoked.spawn(async move {
                let (rights, id) = (&ledger.users()[user], user.to_string());
                assert!(connections.refresh_user(&id).await.is_acknowledged(), "there is one machine");
                rights.acknowledge_revocation(ledger.next_event());
                count(&ledger.revocations);
                ledger.sleep(REVOKED_FOR, Stage::Calm).await;
                rights.end_revocation(ledger.next_event());
                assert!(connections.refresh_user(&id).await.is_acknowledged(), "there is one machine");
                rights.restore(ledger.next_event());
            });
        }
        while let Some(ended) = revoked.try_join_next() {
            ledger.record_task(&ended);
        }
        ledger.sleep(REVOKE_INTERVAL, Stage::Calm).await;
    }
    while let Some(ended) = revoked.join_next().await {
        ledger.record_task(&ended);
    }
}

/// Has all rights loaded again, every second.
async fn refresh(endpoint: Endpoint<Rooms>, ledger: Arc<Ledger>) {
    let connections = endpoint.connections();
    while ledger.stage() == Stage::Load {
        ledger.sleep(Duration::from_secs(1), Stage::Calm).await;
        let _ = connections.refresh_all().await;
    }
}
