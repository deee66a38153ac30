//! One connection as groups know it: who sits there, what waits for them, and where they belong.

use std::ops::Deref;
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::Duration;

use super::backpressure::Pacer;
use super::memberships::Memberships;
use super::registry::SessionRegistry;
use super::revalidator::Deferred;
use super::send_queue::{EnqueueOutcome, SendQueue};
use crate::consumer::Consumer;
use crate::context::Scope;
use crate::log::Cause;
use crate::panic::catch_unwind;
use crate::pubsub::event::{Emits, Subscriber};
use crate::pubsub::membership::DeliveryPath;
use crate::pubsub::publication::{EventHandle, Publication};
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::sync::{ArcSwapOption, Handle, Mutex, MutexGuard};
use crate::transport::{CloseCode, FrameText};

/// One connection.
///
/// What is read of it for every event stands together in front: to many members most of what an event costs is waiting for
/// memory.
#[repr(C)]
pub(crate) struct Session<C: Consumer> {
    /// Whether events wait for grants, or a change is under way.
    pub(crate) is_late: AtomicBool,
    /// Whether somebody else sits there than at first.
    is_renewed: AtomicBool,
    /// Whether the connection has ended.
    pub(crate) is_gone: AtomicBool,
    pub(crate) id: u64,
    /// Who sat down there, once `#[connect]` had let them in.
    first: OnceLock<Scope<C::User>>,
    pub(crate) consumer: Arc<C>,
    pub(crate) mailbox: SendQueue<EventHandle<C>>,
    pub(crate) hub: Arc<SessionRegistry<C>>,
    /// Who sits there since.
    renewed: ArcSwapOption<Scope<C::User>>,
    /// Who sat there in between, and may have something running still.
    former: Mutex<Vec<Weak<Scope<C::User>>>>,
    /// By which user they are found.
    user_id: OnceLock<String>,
    pub(crate) belongings: Mutex<Memberships<C>>,
    /// How many groups it is in, or is to be.
    pub(crate) groups: AtomicUsize,
    pub(crate) most_groups: usize,
    /// Events that wait for grants, and all that came after them.
    pub(crate) late: Mutex<Deferred<C>>,
    /// How long grants and groups may take to answer.
    pub(crate) time: Duration,
    pub(crate) runtime: Handle,
    /// Applies backpressure to this connection when it publishes.
    pub(crate) pacer: Arc<Pacer>,
}

impl<C: Consumer> Session<C> {
    pub(crate) fn new(
        hub: &Arc<SessionRegistry<C>>,
        consumer: Arc<C>,
        mailbox: SendQueue<EventHandle<C>>,
        most_groups: usize,
        time: Duration,
    ) -> Arc<Session<C>> {
        Arc::new(Session {
            is_late: AtomicBool::new(false),
            is_renewed: AtomicBool::new(false),
            is_gone: AtomicBool::new(false),
            id: hub.next_id(),
            first: OnceLock::new(),
            consumer,
            mailbox,
            hub: hub.clone(),
            renewed: ArcSwapOption::empty(),
            former: Mutex::default(),
            user_id: OnceLock::new(),
            belongings: Mutex::default(),
            groups: AtomicUsize::new(0),
            most_groups,
            late: Mutex::new(Deferred::new()),
            time,
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
            return self.renewed.load_full().map(CurrentScope::Since);
        }
        self.first.get().map(CurrentScope::First)
    }

    /// Somebody else sits there from now on.
    pub(crate) fn set_scope(&self, scope: Arc<Scope<C::User>>) {
        let mut former = self.lock_former();
        former.retain(|former| former.strong_count() > 0);
        former.push(Arc::downgrade(&scope));
        self.renewed.store(Some(scope));
        self.is_renewed.store(true, Ordering::SeqCst);
    }

    /// Everybody who sits there or has something running still.
    pub(crate) fn each_scope(&self, tell: impl Fn(&Scope<C::User>)) {
        if let Some(first) = self.first.get() {
            tell(first);
        }
        let former = self.lock_former().clone();
        former.iter().filter_map(Weak::upgrade).for_each(|scope| tell(&scope));
    }

    fn lock_former(&self) -> MutexGuard<'_, Vec<Weak<Scope<C::User>>>> {
        self.former.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody sits down: from now on events may come, and changes of grants are heard of.
    pub(crate) fn take(self: &Arc<Self>, scope: Scope<C::User>) {
        self.remember(&scope);
        if self.first.set(scope).is_ok() {
            self.hub.arrived(self);
        }
    }

    /// By whom it is found. Asked once: that the application's code panics must not keep anybody from being found, nor from
    /// leaving.
    pub(crate) fn remember(&self, scope: &Scope<C::User>) {
        let name = || scope.user().map(|_| scope.user_id().into_owned());
        if let Ok(Some(user_id)) = catch_unwind(name) {
            let _ = self.user_id.set(user_id);
        }
    }

    /// Gets up: leaves every group, and takes no events any more.
    pub(crate) fn leave_all(self: &Arc<Self>) {
        // Before the session leaves the registry: a change of rights that does not find the session waits for none of its
        // starts.
        self.mailbox.gate().close();
        self.mailbox.gate().drain();
        self.hub.departed(self);
        self.part_with_all();
        self.give_up();
        let dropped = self.mailbox.close();
        if dropped > 0 {
            tracing::info!(dropped, "a slow receiver missed events");
        }
    }

    /// The connection is to end.
    pub(crate) fn end(&self, code: CloseCode) {
        self.mailbox.end(code);
        self.mailbox.gate().drain();
        self.give_up();
    }

    /// Whether the connection is to end, or has.
    pub(crate) fn is_over(&self) -> bool {
        self.mailbox.is_over()
    }

    pub(crate) fn user_id(&self) -> Option<&str> {
        self.user_id.get().map(String::as_str)
    }

    /// Looks at what is read of every member, without asking anything yet.
    #[inline]
    pub(crate) fn glance(&self) -> FastPathView<'_, C::User> {
        // The epoch first: who reads that of a change sees below that the change is under way.
        let epoch = self.mailbox.epoch();
        let plain = !self.is_late.load(Ordering::SeqCst) && !self.is_renewed.load(Ordering::SeqCst);
        FastPathView { epoch, scope: self.first.get().filter(|_| plain) }
    }

    /// Gives an event to whoever sits here and may see it, as they were at that glance. Nothing waits for them.
    #[inline]
    pub(crate) fn offer_at<E>(
        self: &Arc<Self>,
        glance: &FastPathView<'_, C::User>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        match glance.scope {
            Some(scope) => self.ask(scope, published, way, glance.epoch),
            None => self.offer(published, way),
        }
    }

    /// The same as they are now.
    pub(crate) fn offer<E>(
        self: &Arc<Self>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        // Read first, for the same reason.
        let epoch = self.mailbox.epoch();
        let Some(scope) = self.scope() else { return DeliveryOutcome::Done };
        // What comes after an event that waits has to wait too.
        if self.is_late.load(Ordering::SeqCst) {
            return self.wait(published, way);
        }
        self.ask(&scope, published, way, epoch)
    }

    /// Asks whether they may see it, and gives it to them.
    #[inline]
    fn ask<E>(
        self: &Arc<Self>,
        scope: &Scope<C::User>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
        epoch: u64,
    ) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        match self.looks(&Subscriber::new(scope), published) {
            Some(false) => DeliveryOutcome::Refused,
            Some(true) => match self.send(scope, published, way, epoch) {
                EnqueueOutcome::In | EnqueueOutcome::Gone => DeliveryOutcome::Done,
                EnqueueOutcome::Stale | EnqueueOutcome::Changed => self.wait(published, way),
            },
            None => self.wait(published, way),
        }
    }

    /// It waits, and is counted when it is settled.
    #[cold]
    fn wait<E>(self: &Arc<Self>, published: &Arc<Publication<E>>, way: DeliveryPath<'_, C>) -> DeliveryOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.lag(published.note(self, way));
        DeliveryOutcome::Done
    }

    /// Whether they may see it. A panic is a no.
    pub(crate) fn looks<E>(&self, seeing: &Subscriber<'_, C::User>, published: &Publication<E>) -> Option<bool>
    where
        C: Emits<E>,
    {
        let event = published.event();
        catch_unwind(|| self.consumer.may_see(seeing, event)).unwrap_or_else(|panic| {
            let cause = Cause::new(&panic.message());
            tracing::error!(event = <C as Emits<E>>::NAME, ?cause, "event refused: permission panicked");
            self.hub.counts.failed();
            Some(false)
        })
    }

    /// Puts it into the mailbox, as it was asked about in that epoch.
    fn send<E>(
        &self,
        scope: &Scope<C::User>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
        epoch: u64,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.make(scope, published, way, |frame, note, seen| {
            // What is not wanted any more is dropped here: nothing is locked.
            let (put, _) = self.mailbox.put(frame, note, epoch, seen, || way.standing());
            put
        })
    }

    /// Makes the frame for whoever sits here, and again while what it shows of its way changes before it is put in.
    pub(crate) fn make<E>(
        &self,
        scope: &Scope<C::User>,
        published: &Arc<Publication<E>>,
        way: DeliveryPath<'_, C>,
        put: impl Fn(FrameText, EventHandle<C>, u64) -> EnqueueOutcome,
    ) -> EnqueueOutcome
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        loop {
            let Some(seen) = way.standing() else { return EnqueueOutcome::Gone };
            let Some(frame) = published.frame(self, scope, way) else { return EnqueueOutcome::Gone };
            match put(frame, published.note(self, way), seen) {
                EnqueueOutcome::Changed => {}
                put => return put,
            }
        }
    }
}

/// Who sits there, for as long as somebody looks.
pub(crate) enum CurrentScope<'a, U> {
    First(&'a Scope<U>),
    Since(Arc<Scope<U>>),
}

impl<U> Deref for CurrentScope<'_, U> {
    type Target = Scope<U>;

    fn deref(&self) -> &Scope<U> {
        match self {
            CurrentScope::First(scope) => scope,
            CurrentScope::Since(scope) => scope,
        }
    }
}

/// What is read of every member.
pub(crate) struct FastPathView<'a, U> {
    epoch: u64,
    /// Who sits there, if nothing is in the way of asking them at once.
    scope: Option<&'a Scope<U>>,
}

impl<U> FastPathView<'_, U> {
    /// Reads ahead what permissions will read.
    #[inline]
    pub(crate) fn fetch(&self) {
        if let Some(scope) = self.scope {
            scope.fetch();
        }
    }
}

/// What became of an event at one seat, as far as that is known at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeliveryOutcome {
    Refused,
    /// It was put in, or waits, or nobody wants it.
    Done,
}
