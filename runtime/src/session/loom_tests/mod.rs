//! The registry under every order in which threads may get at it, as loom tries them: one connection's real seat with its
//! mailbox, its worker and its grants, and whoever publishes, changes, joins and leaves meanwhile. Run it by
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --profile model --package portcullis --no-default-features --lib -- session::loom_tests seqlock::loom_tests
//! ```
//!
//! A task is a thread here, and loom allows five of them in all, so each model says how few it needs. It tries every order
//! with up to so many switches that nobody had to make (`switches`). A lost event or wake-up shows as a deadlock, which ends the
//! whole run.

mod backpressure;
mod churn;
mod revalidation;
mod start_gate;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use loom::future::block_on;
use loom::model::Builder;
use loom::thread;

use crate::consumer::{ActionFn, Consumer, ConsumerBlock, Dispatch, HandlerDescriptor};
use crate::context::{Call, ConnectContext, Handler, Scope, User};
use crate::error::{Error, Result};
use crate::grants::{Codename, CodenameRow, GrantCache, GrantSet, GrantSource, UserGrants};
use crate::panic::Contained;
use crate::permission::{Expr, Expression};
use crate::pubsub::event::{Emits, Frame, Subscriber};
use crate::pubsub::group::{Carries, Group};
use crate::pubsub::membership::DeliveryPath;
use crate::pubsub::publication::Publication;
use crate::session::overflow::OverflowPolicy;
use crate::session::registry::{JoinRequest, SessionRegistry};
use crate::session::send_queue::SendQueue;
use crate::session::session::Session;
use crate::sync::atomic::{AtomicBool, Ordering};

const READ: Codename = {
    static ROW: CodenameRow = CodenameRow::new("model.read", "May read", module_path!());
    Codename::of(&ROW)
};

/// Whoever sits there. Only a member of the staff is ever granted anything.
struct Member {
    staff: bool,
}

impl User for Member {
    fn id(&self) -> Cow<'_, str> {
        Cow::Borrowed("7")
    }
}

/// What the application has stored: whether the staff may read.
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

/// A consumer whose door asks for the codename, or lets everybody in.
#[derive(Clone, Copy)]
struct Room {
    is_guarded: bool,
}

/// What the models never ask by an expression.
const UNASKED: &Expression = &Expression { tree: Expr::All(&[]), leaves: &[], codenames: false };

impl Handler for Room {
    type User = Member;
}

impl Dispatch for Room {
    type Block = ConsumerBlock;

    const NODE: &'static HandlerDescriptor =
        &HandlerDescriptor { name: "", permission: None, inherited: false, needs: &[], actions: &[], routes: &[] };
    const CALLS: &'static [ActionFn<Self>] = &[];
}

impl Consumer for Room {
    const NAME: &'static str = "Room";

    async fn may_connect(&self, cx: &ConnectContext<'_, Member>) -> Result<()> {
        if !self.is_guarded || cx.may(READ).await? { Ok(()) } else { Err(Error::denied()) }
    }
}

/// An event with a number. One that is secret asks for the codename.
struct Said {
    number: u8,
    is_secret: bool,
}

impl Emits<Said> for Room {
    const NAME: &'static str = "said";
    const PERMISSION: &'static Expression = UNASKED;

    fn may_see(&self, seeing: &Subscriber<'_, Member>, event: &Said) -> Option<bool> {
        if event.is_secret { seeing.may(READ) } else { Some(true) }
    }

    fn shared(&self, event: &Said) -> Option<Result<Frame>> {
        Some(Ok(Frame(char::from(event.number).to_string().into())))
    }
}

/// A group that asks for the codename.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Lobby;

impl Group for Lobby {
    type Consumer = Room;

    const NAME: &'static str = "Lobby";
    const PERMISSION: &'static Expression = UNASKED;

    async fn may_join(&self, _: &Room, call: &Call<'_, Member>) -> Result<()> {
        if call.may(READ).await? { Ok(()) } else { Err(Error::denied()) }
    }
}

impl Carries<Said> for Lobby {}

/// One endpoint.
#[derive(Clone)]
struct World {
    table: Arc<Table>,
    cache: GrantCache<Member>,
    hub: Arc<SessionRegistry<Room>>,
    room: Room,
}

impl World {
    fn new(is_guarded: bool) -> World {
        let table = Arc::new(Table(AtomicBool::new(true)));
        let cache = GrantCache::new(table.clone());
        World { table, cache, hub: Arc::new(SessionRegistry::new()), room: Room { is_guarded } }
    }

    /// Who comes from outside.
    fn scope(&self) -> Scope<Member> {
        let (request, ()) = http::Request::new(()).into_parts();
        Scope::new(Some(Member { staff: true }), request).with_grants(Some(&self.cache))
    }

    fn seat(&self) -> Arc<Session<Room>> {
        let mailbox = SendQueue::new(9, 99, OverflowPolicy::Close, self.hub.counts().clone());
        Session::new(&self.hub, Arc::new(self.room), mailbox, 9, Duration::from_secs(9))
    }

    /// Somebody who sits there already, and whose grants were loaded, where they are `known`.
    fn seated(&self, known: bool) -> Arc<Session<Room>> {
        let (seat, scope) = (self.seat(), self.scope());
        if known {
            assert!(block_on(scope.may_with(READ, &[])).unwrap());
        }
        seat.take(scope);
        seat
    }

    /// Whoever sits there is in the group.
    fn enter(&self, seat: &Arc<Session<Room>>) {
        self.hub.enter(seat, JoinRequest { group: Contained::new(Lobby), name: None, id: None, place: None });
    }

    fn publish(&self, number: u8, is_secret: bool) {
        self.hub.publish(&Lobby, Contained::new(Said { number, is_secret }), None);
    }
}

/// Offers a secret event to whoever sits there.
fn offer(seat: &Arc<Session<Room>>, number: u8) {
    seat.offer(&Publication::new(Contained::new(Said { number, is_secret: true }), None), DeliveryPath::Personal);
}

/// Takes all that waits.
fn taken(seat: &Session<Room>) -> Vec<u8> {
    let mut taken = Vec::new();
    while let Ok(Some(next)) = seat.mailbox.take_before(u64::MAX) {
        taken.extend(next.frame.bytes());
    }
    taken
}

fn forget(seat: &Session<Room>) {
    seat.scope().iter().for_each(|scope| scope.forget_grants());
}

/// All is done: gives what still comes, and clears up.
fn rest(seat: &Arc<Session<Room>>) -> Vec<u8> {
    seat.runtime.finish();
    let rest = taken(seat);
    assert_eq!(seat.hub.counts().now().failed, 0);
    seat.leave_all();
    rest
}

fn spawn(thread: impl FnOnce() + 'static) -> impl FnOnce() {
    let thread = thread::spawn(thread);
    move || thread.join().unwrap_or_else(|_| panic!("a thread panicked"))
}

/// Tries every order with up to so many switches that nobody had to make.
fn explore(switches: usize, model: impl Fn() + Send + Sync + 'static) {
    // Timeouts want a clock; none is ever reached.
    let clock = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _inside = clock.enter();
    let tried = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut builder = Builder::new();
    builder.preemption_bound = Some(switches);
    builder.max_branches = 10_000;
    let (counted, began) = (tried.clone(), std::time::Instant::now());
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!("{} orders in {:?}", tried.load(Ordering::Relaxed), began.elapsed());
}
