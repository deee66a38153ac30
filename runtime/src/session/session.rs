//! One connection as groups know it: who sits there, what waits for them, and where they belong.

use std::ops::Deref;
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::Duration;

use super::backpressure::Pacer;
use super::memberships::Memberships;
use super::registry::SessionRegistry;
use super::revalidator::Deferred;
use super::send_queue::SendQueue;
use crate::consumer::Consumer;
use crate::context::Scope;
use crate::panic::catch_unwind;
use crate::session::queued_event::EventHandle;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{ArcSwapOption, Handle, Mutex, MutexGuard};
use crate::transport::CloseCode;

/// One connection.
///
/// What is read of it for every event stands together in front: to many members most of what an event costs is waiting for
/// memory.
#[repr(C)]
pub(crate) struct Session<C: Consumer> {
    /// Whether events wait for grants, or a change is under way.
    pub(crate) has_deferred: AtomicBool,
    /// Whether somebody else sits there than at first.
    pub(crate) is_renewed: AtomicBool,
    /// Whether the connection has ended.
    pub(crate) is_removed: AtomicBool,
    pub(crate) id: u64,
    /// Who sat down there, once `#[connect]` had let them in.
    pub(crate) initial_scope: OnceLock<Scope<C::User>>,
    pub(crate) consumer: Arc<C>,
    pub(crate) send_queue: SendQueue<EventHandle<C>>,
    pub(crate) registry: Arc<SessionRegistry<C>>,
    /// Who sits there since.
    renewed_scope: ArcSwapOption<Scope<C::User>>,
    /// Who sat there in between, and may have something running still.
    former_scopes: Mutex<Vec<Weak<Scope<C::User>>>>,
    /// By which user they are found.
    user_id: OnceLock<String>,
    pub(crate) memberships: Mutex<Memberships<C>>,
    /// How many groups it is in, or is to be.
    pub(crate) group_count: AtomicUsize,
    pub(crate) max_groups: usize,
    /// Events that wait for grants, and all that came after them.
    pub(crate) deferred: Mutex<Deferred<C>>,
    /// How long grants and groups may take to answer.
    pub(crate) check_timeout: Duration,
    pub(crate) runtime: Handle,
    /// Applies backpressure to this connection when it publishes.
    pub(crate) pacer: Arc<Pacer>,
}

impl<C: Consumer> Session<C> {
    pub(crate) fn new(
        registry: &Arc<SessionRegistry<C>>,
        consumer: Arc<C>,
        send_queue: SendQueue<EventHandle<C>>,
        max_groups: usize,
        check_timeout: Duration,
    ) -> Arc<Session<C>> {
        Arc::new(Session {
            has_deferred: AtomicBool::new(false),
            is_renewed: AtomicBool::new(false),
            is_removed: AtomicBool::new(false),
            id: registry.next_id(),
            initial_scope: OnceLock::new(),
            consumer,
            send_queue,
            registry: registry.clone(),
            renewed_scope: ArcSwapOption::empty(),
            former_scopes: Mutex::default(),
            user_id: OnceLock::new(),
            memberships: Mutex::default(),
            group_count: AtomicUsize::new(0),
            max_groups,
            deferred: Mutex::new(Deferred::new()),
            check_timeout,
            runtime: Handle::current(),
            pacer: Pacer::new(),
        })
    }

    pub(crate) fn consumer(&self) -> &C {
        &self.consumer
    }

    /// Who sits there now.
    pub(crate) fn scope(&self) -> Option<CurrentScope<'_, C::User>> {
        if self.is_renewed.load(Ordering::SeqCst) {
            return self.renewed_scope.load_full().map(CurrentScope::Renewed);
        }
        self.initial_scope.get().map(CurrentScope::Initial)
    }

    /// Somebody else sits there from now on.
    pub(crate) fn replace_scope(&self, scope: Arc<Scope<C::User>>) {
        let mut former_scopes = self.lock_former_scopes();
        former_scopes.retain(|scope| scope.strong_count() > 0);
        former_scopes.push(Arc::downgrade(&scope));
        self.renewed_scope.store(Some(scope));
        self.is_renewed.store(true, Ordering::SeqCst);
    }

    /// Everybody who sits there or has something running still.
    pub(crate) fn for_each_scope(&self, visit: impl Fn(&Scope<C::User>)) {
        if let Some(initial_scope) = self.initial_scope.get() {
            visit(initial_scope);
        }
        let former_scopes = self.lock_former_scopes().clone();
        former_scopes.iter().filter_map(Weak::upgrade).for_each(|scope| visit(&scope));
    }

    fn lock_former_scopes(&self) -> MutexGuard<'_, Vec<Weak<Scope<C::User>>>> {
        self.former_scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody sits down: from now on events may come, and changes of grants are heard of.
    pub(crate) fn establish(self: &Arc<Self>, scope: Scope<C::User>) {
        self.record_user_id(&scope);
        if self.initial_scope.set(scope).is_ok() {
            self.registry.insert_session(self);
        }
    }

    /// By whom it is found. Asked once: that the application's code panics must not keep anybody from being found, nor from
    /// leaving.
    pub(crate) fn record_user_id(&self, scope: &Scope<C::User>) {
        let read_id = || scope.user().map(|_| scope.user_id().into_owned());
        if let Ok(Some(user_id)) = catch_unwind(read_id) {
            let _ = self.user_id.set(user_id);
        }
    }

    /// Gets up: leaves every group, and takes no events any more.
    pub(crate) fn leave_registry(self: &Arc<Self>) {
        // Before the session leaves the registry: a change of rights that does not find the session waits for none of its
        // starts.
        self.send_queue.start_gate().close();
        self.send_queue.start_gate().drain();
        self.registry.remove_session(self);
        self.remove_all_memberships();
        self.discard_deferred();
        let dropped = self.send_queue.close();
        if dropped > 0 {
            tracing::info!(dropped, "a slow receiver missed events");
        }
    }

    /// The connection is to end.
    pub(crate) fn close_with(&self, code: CloseCode) {
        self.send_queue.close_with(code);
        self.send_queue.start_gate().drain();
        self.discard_deferred();
    }

    /// Whether the connection is to end, or has.
    pub(crate) fn is_closing(&self) -> bool {
        self.send_queue.is_closed()
    }

    pub(crate) fn user_id(&self) -> Option<&str> {
        self.user_id.get().map(String::as_str)
    }
}

/// Who sits there, for as long as somebody looks.
pub(crate) enum CurrentScope<'a, U> {
    Initial(&'a Scope<U>),
    Renewed(Arc<Scope<U>>),
}

impl<U> Deref for CurrentScope<'_, U> {
    type Target = Scope<U>;

    fn deref(&self) -> &Scope<U> {
        match self {
            CurrentScope::Initial(scope) => scope,
            CurrentScope::Renewed(scope) => scope,
        }
    }
}
