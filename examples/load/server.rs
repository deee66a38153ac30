//! The server under load: rooms with events, a source of grants that fails, hangs and panics, revocations, and a publisher.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{Stream, stream};
use portcullis::http::request::Parts;
use portcullis::{
    AllowAny, Context, DenyAll, Disconnect, Drain, DrainReport, Endpoint, Error, Event, GrantSet, GrantSource, Group,
    IsAuthenticated, Limits, Result, Streamed, User, UserGrants, consumer,
};
use serde::Serialize;
use tokio::net::TcpSocket;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::ledger::{Ledger, count};

portcullis::permissions! {
    rooms { read = "Receives what is said in rooms" }
}

/// Each room has about a hundred members.
const MEMBERS_PER_ROOM: usize = 100;
/// What is said. With the buffers below, a client that does not read is slow within seconds.
const TEXT: &str = "The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. \
    The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps \
    over the lazy dog. The quick brown fox jumps over the lazy dog.";
const SEND_BUFFER: u32 = 16 * 1024;
/// How often something is said in one of the rooms, and how often a user loses rights.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(15);
const REVOKE_INTERVAL: Duration = Duration::from_millis(25);
const REVOKED_FOR: Duration = Duration::from_millis(700);

pub(crate) struct Member {
    pub(crate) number: usize,
    id: String,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.id)
    }
}

/// A source of grants whose every fiftieth call fails, every hundredth panics, and every two hundredth hangs.
struct Faulty {
    ledger: Arc<Ledger>,
    calls: AtomicU64,
}

impl GrantSource<Member> for Faulty {
    async fn load(&self, member: &Member) -> Result<UserGrants> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if call % 50 == 49 {
            count(&self.ledger.faults);
        }
        match call % 200 {
            49 | 149 => return Err(Error::internal("the source failed")),
            99 => panic!("{SCRIPTED_PANIC}"),
            199 => std::future::pending().await,
            _ => {}
        }
        let has_access = self.ledger.has_access(member.number);
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
        count(&self.ledger.hooks.0);
    }

    #[disconnect]
    async fn closed(&self, _: &Disconnect<'_, Member>) {
        count(&self.ledger.hooks.1);
    }

    #[action(permission = IsAuthenticated)]
    async fn watch(&self, cx: &Context<'_, Member>) -> Result<()> {
        cx.join(Room(cx.require_user()?.number / MEMBERS_PER_ROOM)).await
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

    #[event(permission = "rooms.read")]
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
    tasks: JoinSet<()>,
    stop: oneshot::Sender<()>,
}

impl Server {
    /// Starts a server on a free port.
    pub(crate) async fn start(ledger: Arc<Ledger>, seed: u64) -> std::io::Result<Server> {
        silence_scripted_panics();
        let limits = Limits {
            action_timeout: Duration::from_secs(8),
            ping_interval: Duration::from_secs(4),
            idle_timeout: Duration::from_secs(10),
            send_timeout: Duration::from_secs(10),
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
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let served = axum::serve(listener, app).with_graceful_shutdown(async { drop(stopped.await) }).await;
            served.unwrap_or_else(|error| eprintln!("the server failed: {error}"));
        });
        tasks.spawn(publish(endpoint.clone(), ledger.clone(), seed));
        tasks.spawn(revoke(endpoint.clone(), ledger.clone(), seed));
        tasks.spawn(refresh(endpoint.clone(), ledger.clone()));
        Ok(Server { address, endpoint, ledger, tasks, stop })
    }

    /// Closes all connections.
    pub(crate) async fn drain(&self) -> DrainReport {
        let drain = self.endpoint.drain_handle();
        drain.start(Drain {
            notice: Duration::ZERO,
            window: Duration::from_secs(2),
            deadline: Duration::from_secs(20),
        });
        drain.finished().await
    }

    /// Ends the server, and waits until its tasks have ended.
    pub(crate) async fn stop(self) {
        let Server { endpoint, ledger, mut tasks, stop, .. } = self;
        ledger.stop();
        drop((endpoint, stop));
        while tasks.join_next().await.is_some() {}
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

/// The panic of the source is part of the load, and would fill the screen.
fn silence_scripted_panics() {
    static SILENCED: std::sync::Once = std::sync::Once::new();
    SILENCED.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload_as_str() != Some(SCRIPTED_PANIC) {
                default(panic);
            }
        }));
    });
}

/// Says something in one room after the other.
async fn publish(endpoint: Endpoint<Rooms>, ledger: Arc<Ledger>, seed: u64) {
    let publisher = endpoint.publisher();
    let rooms = ledger.users().div_ceil(MEMBERS_PER_ROOM);
    for turn in seed.. {
        if ledger.is_stopped() {
            return;
        }
        publisher.ready().await;
        let number = ledger.next_event.fetch_add(1, Ordering::SeqCst);
        publisher.publish(&Room(usize::try_from(turn).unwrap_or(0) % rooms), Said { number });
        ledger.sleep(PUBLISH_INTERVAL).await;
    }
}

/// Takes the right away from one user after the other, and gives it back.
async fn revoke(endpoint: Endpoint<Rooms>, ledger: Arc<Ledger>, seed: u64) {
    let connections = endpoint.connections();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut revoked = JoinSet::new();
    while !ledger.is_stopped() {
        let user = random.usize(..ledger.users());
        if ledger.has_access(user) {
            ledger.set_access(user, false);
            let (ledger, connections) = (ledger.clone(), connections.clone());
            revoked.spawn(async move {
                if connections.refresh_user(&user.to_string()).await.is_acknowledged() {
                    ledger.begin_revocation(user);
                }
                ledger.sleep(REVOKED_FOR).await;
                ledger.end_revocation(user);
                ledger.set_access(user, true);
                let _ = connections.refresh_user(&user.to_string()).await;
            });
        }
        while revoked.try_join_next().is_some() {}
        ledger.sleep(REVOKE_INTERVAL).await;
    }
    revoked.join_all().await;
}

/// Has all rights loaded again, every second.
async fn refresh(endpoint: Endpoint<Rooms>, ledger: Arc<Ledger>) {
    let connections = endpoint.connections();
    while !ledger.is_stopped() {
        ledger.sleep(Duration::from_secs(1)).await;
        let _ = connections.refresh_all().await;
    }
}
