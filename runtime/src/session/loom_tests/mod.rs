//! Loom models of sessions: one session with its real send queue, revalidator and grants, under every order of the threads
//! that publish, change rights, join and leave. Run them with
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --profile model --package portcullis --no-default-features --lib -- \
//!     session::loom_tests seqlock::loom_tests
//! ```
//!
//! A task is a thread here, and loom allows five threads in all, so each model states the number that it needs. It explores
//! all orders with at most `switches` preemptions. A lost event or wake-up shows as a deadlock, which ends the whole run.

mod backpressure;
mod churn;
mod flusher;
mod revalidation;
mod start_gate;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use loom::future::block_on;
use loom::model::Builder;
use loom::thread;

use crate::consumer::{ActionFn, Consumer, ConsumerBlock, Dispatch, HandlerDescriptor, PublishRule};
use crate::context::{ActionRates, Call, ConnectContext, ConnectionId, Scope, User};
use crate::error::{Error, Result};
use crate::grants::{Codename, CodenameRow, GrantCache, GrantSet, GrantSource, UserGrants};
use crate::panic::Contained;
use crate::permission::{Expr, Expression};
use crate::pubsub::event::{Emits, Frame, Subscriber};
use crate::pubsub::event_type::{Event, EventType};
use crate::pubsub::group::{CarriedEvent, Group};
use crate::pubsub::join_request::JoinRequest;
use crate::pubsub::outgoing_event::OutgoingEvent;
use crate::pubsub::publication::Publication;
use crate::session::delivery_path::DeliveryPath;
use crate::session::overflow::OverflowPolicy;
use crate::session::send_queue::SendQueue;
use crate::session::session::{Session, SessionLimits, SessionRegistry};
use crate::sync::atomic::{AtomicBool, Ordering};

const READ: Codename = {
    static ROW: CodenameRow = CodenameRow::new("model.read", "May read", module_path!());
    Codename::of(&ROW)
};

/// A user. Only staff is granted anything.
struct Member {
    staff: bool,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed("7")
    }
}

const LIMITS: SessionLimits = SessionLimits {
    max_groups: 9,
    max_present_users: 9,
    max_event_bytes: 99,
    check_timeout: Duration::from_secs(9),
    max_age: None,
};

/// The stored rights: whether staff may read.
struct Table(AtomicBool);

impl Table {
    fn revoke(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl GrantSource<Member> for Arc<Table> {
    async fn load(&self, member: &Member) -> Result<UserGrants> {
        let granted = member.staff && self.0.load(Ordering::SeqCst);
        Ok(if granted { GrantSet::from_iter([READ]) } else { GrantSet::new() }.into())
    }
}

/// The stored rights, loaded once for all connections that load at the same time.
struct SharedTable(Arc<Table>);

impl GrantSource<Member> for SharedTable {
    fn coalesce_key<'a>(&'a self, member: &'a Member) -> Option<Cow<'a, str>> {
        Some(member.id())
    }

    async fn load(&self, member: &Member) -> Result<UserGrants> {
        self.0.load(member).await
    }
}

/// A consumer whose connect permission needs the codename, if `is_guarded`.
#[derive(Clone, Copy)]
struct Room {
    is_guarded: bool,
}

/// The permission expressions, which the models do not evaluate.
const UNUSED: &Expression = &Expression { tree: Expr::All(&[]), leaves: &[], has_codenames: false };

impl Dispatch for Room {
    type BlockUser = Member;
    type Block = ConsumerBlock;

    const DESCRIPTOR: &'static HandlerDescriptor = &HandlerDescriptor::EMPTY;
    const ACTION_FNS: &'static [ActionFn<Self>] = &[];
}

impl Consumer for Room {
    const NAME: &'static str = "Room";

    async fn authorize_connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        if !self.is_guarded || cx.may(READ).await? { Ok(()) } else { Err(Error::denied()) }
    }
}

/// An event with a number. A secret one needs the codename.
struct Message {
    number: u8,
    is_secret: bool,
}

impl Event for Message {
    const NAME: &'static str = "Message";
    const PATH: &'static str = "Message";
    const FINGERPRINT: u64 = 0;
    const IS_LOCAL: bool = true;
}

impl Emits<Message> for Room {
    const NAME: &'static str = "said";
    const PERMISSION: &'static Expression = UNUSED;
    const EVENT_TYPE: EventType<Message> = EventType::of("");

    fn authorize_event(&self, subscriber: &Subscriber<'_, Member>, event: &Message) -> Option<bool> {
        if event.is_secret { subscriber.may(READ) } else { Some(true) }
    }

    fn shared_frame(&self, event: &Message) -> Option<Result<Frame>> {
        Some(Ok(Frame(char::from(event.number).to_string().into())))
    }
}

/// A group whose permission needs the codename.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Lobby;

impl Group for Lobby {
    type Consumer = Room;
    type Events = Self;

    const NAME: &'static str = "Lobby";
    const PATH: &'static str = "Lobby";
    const FINGERPRINT: u64 = 0;
    const PERMISSION: &'static Expression = UNUSED;
    const PUBLISH: PublishRule = PublishRule::Members;

    async fn authorize_join(&self, _: &Room, call: &Call<'_, Member>) -> Result<()> {
        if call.may(READ).await? { Ok(()) } else { Err(Error::denied()) }
    }
}

impl CarriedEvent<Message> for Lobby {
    type Consumer = Room;
}

/// One endpoint.
#[derive(Clone)]
struct Server {
    table: Arc<Table>,
    cache: GrantCache<Member>,
    registry: Arc<SessionRegistry<Room>>,
    room: Room,
}

impl Server {
    fn new(is_guarded: bool) -> Server {
        let table = Arc::new(Table(AtomicBool::new(true)));
        let cache = GrantCache::new(table.clone());
        Server {
            table,
            cache,
            registry: Arc::new(SessionRegistry::new(Arc::default(), ActionRates::default())),
            room: Room { is_guarded },
        }
    }

    /// Returns the scope of an accepted handshake.
    fn scope(&self) -> Scope<Member> {
        let (request, ()) = http::Request::new(()).into_parts();
        Scope::new(Some(Member { staff: true }), request).with_grants(Some(&self.cache))
    }

    fn session(&self) -> Arc<Session<Room>> {
        let send_queue = SendQueue::new(9, 99, OverflowPolicy::Close, self.registry.telemetry.clone());
        let id = ConnectionId::random().unwrap();
        Session::new(&self.registry, id, Arc::new(self.room), send_queue, LIMITS, None)
    }

    /// Returns an established session, whose grants are loaded already if `is_loaded`.
    fn connected_session(&self, is_loaded: bool) -> Arc<Session<Room>> {
        let (session, scope) = (self.session(), self.scope());
        if is_loaded {
            assert!(block_on(scope.may_with(READ, &[])).unwrap());
        }
        session.establish(scope);
        session
    }

    /// Adds the session to the group.
    fn join(&self, session: &Arc<Session<Room>>) {
        self.registry.add_member(
            session,
            JoinRequest { group: Contained::new(Lobby), name: None, id: None, slot: None, hold: None, log: None },
        );
    }

    fn publish(&self, number: u8, is_secret: bool) {
        self.registry.publish(&Lobby, OutgoingEvent::new(&*self.registry, Message { number, is_secret }, false), None);
    }
}

/// Delivers a secret event to the session's user.
fn deliver(session: &Arc<Session<Room>>, number: u8) {
    session.deliver(
        &Publication::new(OutgoingEvent::new(&*session.registry, Message { number, is_secret: true }, false), None),
        DeliveryPath::Personal,
    );
}

/// Dequeues all queued events.
fn drain(session: &Session<Room>) -> Vec<u8> {
    let mut frames = Vec::new();
    while let Ok(Some(next)) = session.send_queue.dequeue_before(u64::MAX) {
        frames.extend(next.frame.text().bytes());
    }
    frames
}

/// Discards the grants of the session, as a change of rights does.
fn forget_grants(session: &Session<Room>) {
    session.scope().iter().for_each(|scope| scope.forget_grants());
}

/// Waits for all threads, returns the events still queued and removes the session.
fn finish(session: &Arc<Session<Room>>) -> Vec<u8> {
    session.runtime.finish();
    let frames = drain(session);
    assert_eq!(session.registry.telemetry.event_counters().failed, 0);
    session.leave_registry();
    frames
}

fn spawn<T: 'static>(thread: impl FnOnce() -> T + 'static) -> impl FnOnce() -> T {
    let thread = thread::spawn(thread);
    move || thread.join().unwrap_or_else(|_| panic!("thread panicked"))
}

/// Explores all orders with at most `switches` preemptions.
fn explore(switches: usize, model: impl Fn() + Send + Sync + 'static) {
    // Tokio timeouts need a runtime with a clock; none expires.
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = clock.enter();
    let order_count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut builder = Builder::new();
    builder.preemption_bound = Some(switches);
    builder.max_branches = 10_000;
    let (counter, started_at) = (order_count.clone(), std::time::Instant::now());
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!("{} orders in {:?}", order_count.load(Ordering::Relaxed), started_at.elapsed());
}
