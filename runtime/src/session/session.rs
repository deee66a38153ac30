//! What the endpoint keeps about one connection: its user, its send queue, its memberships and its deferred events.
//!
//! Lock order, first to last: `Session::deferred`, `Session::former_scopes`, `Memberships::list`, then one of
//! `Registry::groups`, `GroupTable::shards` and `MemberList::state`, or `Membership::holds`, `SendQueue::state`,
//! `Pacer::holds`. `StartGate::starting`, `flusher::Shard::list` and the other locks of [`SessionRegistry`] are taken while
//! none of these is held.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::backpressure::Pacer;
use super::current_scope::CurrentScope;
use super::deferred::Deferred;
use super::flusher::{FlushEvents, Shard};
use super::lingering::Peer;
use super::memberships::Memberships;
use super::queued_event::EventHandle;
use super::registry::Registry;
use super::replay_budget::ReplayBudget;
use super::send_queue::parking::Flushed;
use super::send_queue::{EnqueueOutcome, SendQueue};
use crate::consumer::Consumer;
use crate::context::{ActionRates, CallSession, ConnectionId, Handler, PeerAddress, Scope};
use crate::panic::{ContainedSpan, catch_unwind, log_entry};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{ArcSwapOption, Handle, Mutex, MutexGuard, ignore_poison};
use crate::transport::{CloseReason, SocketWriter};

/// The registry of the sessions of consumer `C`.
pub(crate) type SessionRegistry<C> = Registry<<C as Handler>::User, Session<C>>;

/// The limits of one session, from those of its endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionLimits {
    pub(crate) max_groups: usize,
    pub(crate) max_present_users: usize,
    pub(crate) max_event_bytes: usize,
    pub(crate) check_timeout: Duration,
    pub(crate) max_age: Option<Duration>,
}

/// The state that the endpoint keeps about one connection.
///
/// The fields that are read per event come first and adjacent to each other: with many members, most of the cost of an
/// event is waiting for memory.
#[repr(C)]
pub(crate) struct Session<C: Consumer> {
    /// Whether events are deferred or a change of rights is pending.
    pub(crate) has_deferred: AtomicBool,
    /// Whether `renewed_scope` has replaced `initial_scope`.
    pub(crate) is_renewed: AtomicBool,
    pub(crate) id: ConnectionId,
    /// The scope of the handshake, from the time when the session was established.
    pub(crate) initial_scope: OnceLock<Scope<C::User>>,
    pub(crate) consumer: Arc<C>,
    pub(crate) send_queue: SendQueue<EventHandle<Session<C>>>,
    pub(crate) registry: Arc<SessionRegistry<C>>,
    /// The scope of the latest re-authentication.
    renewed_scope: ArcSwapOption<Scope<C::User>>,
    /// Protects the list of scopes that re-authentication has set, of which actions may still run. Lock order: after
    /// `deferred`; released before the scopes are visited.
    former_scopes: Mutex<Vec<Weak<Scope<C::User>>>>,
    /// The user id under which the registry indexes the session.
    pub(super) user_id: OnceLock<String>,
    pub(crate) memberships: Memberships<C>,
    /// Protects the deferred events and the state of the revalidator. While it is held, no epoch begins. Lock order: the
    /// first of all.
    pub(crate) deferred: Mutex<Deferred<Session<C>>>,
    /// The maximum age of the session's rights, see [`Limits::grants_max_age`](crate::Limits::grants_max_age).
    pub(super) max_age: Option<Duration>,
    /// When the rights are renewed next. No other lock is taken under it.
    pub(super) renewal_at: Mutex<Option<Instant>>,
    /// The time limit of loading grants and of evaluating permissions outside of an action.
    pub(crate) check_timeout: Duration,
    /// The maximum size of an event, see [`Limits::max_event_bytes`](crate::Limits::max_event_bytes).
    pub(crate) max_event_bytes: usize,
    /// The maximum number of present users of a group that is listed, see
    /// [`Limits::max_present_users`](crate::Limits::max_present_users).
    pub(crate) max_present_users: usize,
    pub(crate) runtime: Handle,
    /// The span of the connection. `None` if it is disabled.
    pub(crate) span: Option<Box<ContainedSpan>>,
    /// Created by the first replay.
    replay_budget: OnceLock<Arc<ReplayBudget>>,
    /// Applies backpressure to this connection when it publishes.
    pub(crate) pacer: Arc<Pacer>,
    /// Whether the session is in the registry's list of lingering sessions.
    is_lingering: AtomicBool,
    /// Where the session is put once an event is queued while its task is parked. Not set if no flusher can write to its
    /// socket.
    shard: OnceLock<Arc<Shard>>,
}

impl<C: Consumer> Session<C> {
    pub(crate) fn new(
        registry: &Arc<SessionRegistry<C>>,
        id: ConnectionId,
        consumer: Arc<C>,
        send_queue: SendQueue<EventHandle<Session<C>>>,
        limits: SessionLimits,
        span: Option<Box<ContainedSpan>>,
    ) -> Arc<Session<C>> {
        let SessionLimits { max_groups, max_present_users, max_event_bytes, check_timeout, max_age } = limits;
        Arc::new(Session {
            has_deferred: AtomicBool::new(false),
            is_renewed: AtomicBool::new(false),
            id,
            initial_scope: OnceLock::new(),
            consumer,
            send_queue,
            registry: registry.clone(),
            renewed_scope: ArcSwapOption::empty(),
            former_scopes: Mutex::default(),
            user_id: OnceLock::new(),
            memberships: Memberships::new(max_groups),
            deferred: Mutex::new(Deferred::new()),
            max_age,
            renewal_at: Mutex::default(),
            check_timeout,
            max_event_bytes,
            max_present_users,
            runtime: Handle::current(),
            span,
            replay_budget: OnceLock::new(),
            pacer: Pacer::new(),
            is_lingering: AtomicBool::new(false),
            shard: OnceLock::new(),
        })
    }

    pub(crate) fn consumer(&self) -> &C {
        &self.consumer
    }

    /// Returns what bounds the events that are replayed to this session.
    pub(crate) fn replay_budget(&self) -> &Arc<ReplayBudget> {
        self.replay_budget.get_or_init(Arc::default)
    }

    /// Returns the number of replayed events that this session has not had yet.
    pub(super) fn replayed_count(&self) -> usize {
        self.replay_budget.get().map_or(0, |budget| budget.events())
    }

    /// Returns the current scope, or `None` before the session is established.
    pub(crate) fn scope(&self) -> Option<CurrentScope<'_, C::User>> {
        if self.is_renewed.load(Ordering::SeqCst) {
            return self.renewed_scope.load_full().map(CurrentScope::Renewed);
        }
        self.initial_scope.get().map(CurrentScope::Initial)
    }

    /// Replaces the current scope after re-authentication.
    pub(crate) fn replace_scope(&self, scope: Arc<Scope<C::User>>) {
        let mut former_scopes = self.lock_former_scopes();
        former_scopes.retain(|scope| scope.strong_count() > 0);
        former_scopes.push(Arc::downgrade(&scope));
        self.renewed_scope.store(Some(scope));
        self.is_renewed.store(true, Ordering::SeqCst);
    }

    /// Visits the current scope and those of earlier users of the session for which something still runs.
    pub(crate) fn for_each_scope(&self, visit: impl Fn(&Scope<C::User>)) {
        if let Some(initial_scope) = self.initial_scope.get() {
            visit(initial_scope);
        }
        let former_scopes = self.lock_former_scopes().clone();
        former_scopes.iter().filter_map(Weak::upgrade).for_each(|scope| visit(&scope));
    }

    fn lock_former_scopes(&self) -> MutexGuard<'_, Vec<Weak<Scope<C::User>>>> {
        ignore_poison(self.former_scopes.lock())
    }

    /// Establishes the session with its scope: from now on events are delivered and changes of rights reach it.
    pub(crate) fn establish(self: &Arc<Self>, scope: Scope<C::User>) {
        self.record_user_id(&scope);
        if self.initial_scope.set(scope).is_ok() {
            self.registry.insert_session(self.id, &self.user_id, self);
        }
    }

    /// Records the user id, once: `User::id` is the application's code, and a panic of a later call must not keep the
    /// session from being found or removed.
    pub(crate) fn record_user_id(&self, scope: &Scope<C::User>) {
        let read_id = || scope.user().map(|_| scope.user_id().into_owned());
        if let Ok(Some(user_id)) = catch_unwind(read_id) {
            let _ = self.user_id.set(user_id);
        }
    }

    /// Ends the connection: its memberships end, its queued and deferred events are discarded, and its running actions are
    /// cancelled. It stays in the registry, so that changes of rights still reach it. Unless `can_begin` is set, no action
    /// starts from now on.
    pub(crate) fn end(self: &Arc<Self>, can_begin: bool) {
        if !can_begin {
            self.send_queue.start_gate().close();
            self.send_queue.start_gate().drain();
        }
        self.send_queue.end();
        self.memberships.end_all();
        self.discard_deferred();
        self.send_queue.start_gate().cancel();
    }

    /// Records that the connection has ended while messages are still to begin. At most `max_lingering` sessions do so, and
    /// a few per peer; beyond that, the oldest begins nothing more.
    pub(crate) fn linger(self: &Arc<Self>, max_lingering: usize) {
        if !self.is_lingering.swap(true, Ordering::SeqCst)
            && let Some(oldest) = self.registry.lingering.insert(self.id, self.peer(), self, max_lingering)
        {
            oldest.send_queue.start_gate().close();
        }
    }

    fn peer(&self) -> Peer {
        if let Some(user_id) = self.user_id() {
            return Peer::User(user_id.to_owned());
        }
        let address = self.scope().and_then(|scope| scope.extension::<PeerAddress>().copied());
        address.map_or(Peer::Unknown, |PeerAddress(address)| Peer::Address(address))
    }

    /// Removes the session from the registry and from its groups, and closes its send queue. Returns whether it counts as
    /// authenticated, which the caller takes back when the connection has ended.
    pub(crate) fn leave_registry(self: &Arc<Self>) -> bool {
        // Before the session leaves the registry: a change of rights that does not find the session waits for none of its
        // starts.
        self.send_queue.start_gate().close();
        self.send_queue.start_gate().drain();
        let is_authenticated = self.registry.remove_session(self.id, &self.user_id, self);
        if self.is_lingering.load(Ordering::SeqCst) {
            self.registry.lingering.remove(self.id);
        }
        self.memberships.end_all();
        drop(self.memberships.take_ended());
        self.discard_deferred();
        let dropped = self.send_queue.close();
        self.cancel_renewal();
        if dropped > 0 {
            log_entry!(INFO, dropped, "events dropped: send queue full");
        }
        is_authenticated
    }

    /// Ends the connection for `reason`, and discards its queued and deferred events.
    pub(crate) fn close_with(&self, reason: CloseReason) {
        drop(self.send_queue.close_with(reason));
        self.send_queue.start_gate().drain();
        self.discard_deferred();
    }

    /// Returns whether the connection is to end or has ended.
    pub(crate) fn is_closing(&self) -> bool {
        self.send_queue.is_closed()
    }

    /// Lets the flusher of the current runtime write events to the socket of the connection while its task is parked.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime.
    pub(crate) fn attach_socket(&self, writer: Arc<dyn SocketWriter>) {
        let shard = self.registry.flusher.shard(self.id);
        if self.shard.set(shard).is_ok() {
            self.send_queue.attach_socket(writer);
        }
    }

    /// Passes the session to the flusher if the outcome says so. Called while no lock is held.
    #[inline]
    pub(crate) fn pass_to_flusher(self: &Arc<Self>, outcome: EnqueueOutcome) -> EnqueueOutcome {
        if outcome != EnqueueOutcome::EnqueuedForFlusher {
            return outcome;
        }
        match self.shard.get() {
            Some(shard) => shard.push(self.clone()),
            None => self.send_queue.wake_task(),
        }
        EnqueueOutcome::Enqueued
    }

    pub(crate) fn user_id(&self) -> Option<&str> {
        self.user_id.get().map(String::as_str)
    }
}

impl<C: Consumer> FlushEvents for Session<C> {
    fn flush_events(&self, buffer: &mut Vec<u8>) -> Flushed {
        self.registry.enforce_lease();
        self.send_queue.flush_parked(buffer)
    }

    fn wake_task(&self) {
        self.send_queue.wake_task();
    }
}

impl<C: Consumer> CallSession for Arc<Session<C>> {
    fn consumer_name(&self) -> &'static str {
        C::NAME
    }

    fn action_rates(&self) -> Option<&ActionRates> {
        Some(&self.registry.action_rates)
    }
}
