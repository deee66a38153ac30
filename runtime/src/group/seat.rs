//! One connection as groups know it: who sits there, what waits for them, and where they belong.

use std::any::Any;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use super::delivery::{Note, Published};
use super::event::{Emits, Seeing};
use super::hub::Hub;
use super::late::Late;
use super::mailbox::{Mailbox, Put};
use super::membership::Way;
use crate::consumer::Consumer;
use crate::error::{Error, Result};
use crate::message::RequestId;
use crate::scope::Scope;
use crate::transport::CloseCode;

/// One connection.
///
/// What is read of it for every event stands in front, in one line of the processor's cache: to many members most of what an
/// event costs is waiting for memory.
#[repr(C, align(64))]
pub(crate) struct Seat<C: Consumer> {
    /// Whether events wait for grants, or a change is under way.
    pub(super) is_late: AtomicBool,
    /// Whether somebody else sits there than at first.
    is_renewed: AtomicBool,
    pub(super) id: u64,
    pub(crate) mailbox: Mailbox<Note<C>>,
    /// Who sat down there, once `#[connect]` had let them in.
    first: OnceLock<Scope<C::User>>,
    pub(super) consumer: Arc<C>,
    pub(super) hub: Arc<Hub<C>>,
    /// Who sits there since.
    renewed: ArcSwapOption<Scope<C::User>>,
    /// By which user they are found.
    user_id: OnceLock<String>,
    belongings: Mutex<Vec<Arc<dyn Belonging<C>>>>,
    groups: AtomicUsize,
    most_groups: usize,
    /// Events that wait for grants, and all that came after them.
    pub(super) late: Mutex<Late<C>>,
    /// How long grants and groups may take to answer.
    pub(super) time: Duration,
    pub(super) runtime: Handle,
}

/// A group that a connection belongs to.
pub(super) trait Belonging<C: Consumer>: Send + Sync {
    /// Whether it is this one.
    fn is(&self, group: &dyn Any) -> bool;
    /// Whether something keeps it already: that it was joined, or the subscription of that id.
    fn is_kept(&self, id: Option<&RequestId>) -> bool;
    /// Keeps it, as joined or by a subscription.
    fn keep(&self, id: Option<RequestId>, place: Place<C>);
    /// Ends a subscription. Whether nothing keeps it any more.
    fn release(&self, id: &RequestId) -> bool;
    /// Whether whoever sits here may still be in it.
    fn may_stay<'a>(&'a self, consumer: &'a C, scope: &'a Scope<C::User>) -> BoxFuture<'a, Result<()>>;
    /// Leaves it.
    fn leave(&self);
}

/// Room for one more group; given back when it is dropped.
pub(super) struct Place<C: Consumer>(Arc<Seat<C>>);

impl<C: Consumer> Drop for Place<C> {
    fn drop(&mut self) {
        self.0.groups.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<C: Consumer> Seat<C> {
    pub(crate) fn new(
        hub: &Arc<Hub<C>>,
        consumer: Arc<C>,
        mailbox: Mailbox<Note<C>>,
        most_groups: usize,
        time: Duration,
    ) -> Arc<Seat<C>> {
        Arc::new(Seat {
            is_late: AtomicBool::new(false),
            is_renewed: AtomicBool::new(false),
            id: hub.next_id(),
            mailbox,
            first: OnceLock::new(),
            consumer,
            hub: hub.clone(),
            renewed: ArcSwapOption::empty(),
            user_id: OnceLock::new(),
            belongings: Mutex::default(),
            groups: AtomicUsize::new(0),
            most_groups,
            late: Mutex::new(Late::new()),
            time,
            runtime: Handle::current(),
        })
    }

    pub(crate) fn consumer(&self) -> &C {
        &self.consumer
    }

    /// Who sits there now.
    pub(crate) fn scope(&self) -> Option<Sitting<'_, C::User>> {
        if self.is_renewed.load(Ordering::SeqCst) {
            return self.renewed.load_full().map(Sitting::Since);
        }
        self.first.get().map(Sitting::First)
    }

    /// Somebody else sits there from now on.
    pub(super) fn set_scope(&self, scope: Arc<Scope<C::User>>) {
        self.renewed.store(Some(scope));
        self.is_renewed.store(true, Ordering::SeqCst);
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
    pub(super) fn remember(&self, scope: &Scope<C::User>) {
        let name = || scope.user().map(|_| scope.user_id().into_owned());
        if let Ok(Some(user_id)) = catch_unwind(AssertUnwindSafe(name)) {
            let _ = self.user_id.set(user_id);
        }
    }

    /// Gets up: leaves every group, and takes no events any more.
    pub(crate) fn leave_all(self: &Arc<Self>) {
        self.hub.departed(self);
        let belongings = std::mem::take(&mut *self.lock_belongings());
        for belonging in &belongings {
            belonging.leave();
        }
        self.give_up();
        let dropped = self.mailbox.close();
        if dropped > 0 {
            tracing::info!(dropped, "a slow receiver missed events");
        }
    }

    /// The connection is to end.
    pub(super) fn end(&self, code: CloseCode) {
        self.mailbox.end(code);
        self.give_up();
    }

    pub(super) fn user_id(&self) -> Option<&str> {
        self.user_id.get().map(String::as_str)
    }

    /// Room for one more group. 409 where there is none.
    pub(super) fn reserve(self: &Arc<Self>) -> Result<Place<C>> {
        let place = self.groups.fetch_add(1, Ordering::Relaxed);
        let reserved = Place(self.clone());
        if place < self.most_groups {
            return Ok(reserved);
        }
        Err(Error::new(http::StatusCode::CONFLICT, "too_many_groups", "The connection is in too many groups."))
    }

    /// Whether it is in a group already, as joined or by the subscription of that id.
    pub(super) fn is_in(&self, group: &dyn Any, id: Option<&RequestId>) -> bool {
        self.lock_belongings().iter().any(|known| known.is(group) && known.is_kept(id))
    }

    /// The groups that it is in now.
    pub(super) fn belongings(&self) -> Vec<Arc<dyn Belonging<C>>> {
        self.lock_belongings().clone()
    }

    /// Belongs to a group, `enter` makes it, unless it does already; and keeps it.
    pub(super) fn belong(
        &self,
        group: &dyn Any,
        id: Option<RequestId>,
        place: Place<C>,
        enter: impl FnOnce() -> Arc<dyn Belonging<C>>,
    ) {
        let mut belongings = self.lock_belongings();
        if let Some(known) = belongings.iter().find(|known| known.is(group)) {
            return known.keep(id, place);
        }
        let belonging = enter();
        belonging.keep(id, place);
        belongings.push(belonging);
    }

    /// Ends a subscription to a group, and the membership where nothing else keeps it.
    pub(super) fn release(&self, group: &dyn Any, id: &RequestId) {
        let mut belongings = self.lock_belongings();
        let Some(at) = belongings.iter().position(|known| known.is(group)) else { return };
        if belongings[at].release(id) {
            let belonging = belongings.swap_remove(at);
            drop(belongings);
            belonging.leave();
        }
    }

    /// Belongs to a group no more.
    pub(super) fn part(&self, group: &dyn Any) {
        let mut belongings = self.lock_belongings();
        let Some(at) = belongings.iter().position(|known| known.is(group)) else { return };
        let belonging = belongings.swap_remove(at);
        drop(belongings);
        belonging.leave();
    }

    /// The same of one that was found before.
    pub(super) fn part_with(&self, belonging: &Arc<dyn Belonging<C>>) {
        self.lock_belongings().retain(|known| !Arc::ptr_eq(known, belonging));
        belonging.leave();
    }

    fn lock_belongings(&self) -> MutexGuard<'_, Vec<Arc<dyn Belonging<C>>>> {
        self.belongings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what is read of every member, without asking anything yet.
    #[inline]
    pub(super) fn glance(&self) -> Glance<'_, C::User> {
        // The epoch first: who reads that of a change sees below that the change is under way.
        let epoch = self.mailbox.epoch();
        let plain = !self.is_late.load(Ordering::SeqCst) && !self.is_renewed.load(Ordering::SeqCst);
        Glance { epoch, scope: self.first.get().filter(|_| plain) }
    }

    /// Gives an event to whoever sits here and may see it, as they were at that glance. Nothing waits for them.
    #[inline]
    pub(super) fn offer_at<E>(
        self: &Arc<Self>,
        glance: &Glance<'_, C::User>,
        published: &Arc<Published<E>>,
        way: Way<'_, C>,
    ) -> Offered
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let Some(scope) = glance.scope else { return self.offer(published, way) };
        match self.looks(&Seeing::new(scope), &published.event) {
            Some(false) => Offered::Refused,
            Some(true) => self.deliver(scope, published, way, glance.epoch),
            None => self.wait(published, way),
        }
    }

    /// The same as they are now.
    pub(super) fn offer<E>(self: &Arc<Self>, published: &Arc<Published<E>>, way: Way<'_, C>) -> Offered
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        // Read first, for the same reason.
        let epoch = self.mailbox.epoch();
        let Some(scope) = self.scope() else { return Offered::Nowhere };
        // What comes after an event that waits has to wait too.
        if self.is_late.load(Ordering::SeqCst) {
            return self.wait(published, way);
        }
        match self.looks(&Seeing::new(&*scope), &published.event) {
            Some(false) => Offered::Refused,
            Some(true) => self.deliver(&scope, published, way, epoch),
            None => self.wait(published, way),
        }
    }

    fn deliver<E>(
        self: &Arc<Self>,
        scope: &Scope<C::User>,
        published: &Arc<Published<E>>,
        way: Way<'_, C>,
        epoch: u64,
    ) -> Offered
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        match self.send(scope, published, way, epoch) {
            Put::In => Offered::Delivered,
            Put::Gone => Offered::Nowhere,
            Put::Stale | Put::Changed => self.wait(published, way),
        }
    }

    /// It waits, and is counted when it is settled.
    #[cold]
    fn wait<E>(self: &Arc<Self>, published: &Arc<Published<E>>, way: Way<'_, C>) -> Offered
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        self.lag(published.note(self, way));
        Offered::Nowhere
    }

    /// Whether they may see it. A panic is a no.
    pub(super) fn looks<E>(&self, seeing: &Seeing<'_, C::User>, event: &E) -> Option<bool>
    where
        C: Emits<E>,
    {
        catch_unwind(AssertUnwindSafe(|| self.consumer.may_see(seeing, event))).unwrap_or_else(|_| {
            tracing::error!(event = <C as Emits<E>>::NAME, "an event's permission panicked");
            self.hub.counts.failed();
            Some(false)
        })
    }

    /// Puts it into the mailbox, as it was asked about in that epoch.
    fn send<E>(&self, scope: &Scope<C::User>, published: &Arc<Published<E>>, way: Way<'_, C>, epoch: u64) -> Put
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        loop {
            let Some(seen) = way.standing() else { return Put::Gone };
            let Some(frame) = published.frame(self, scope, way) else { return Put::Gone };
            match self.mailbox.put(frame, published.note(self, way), epoch, seen, || way.standing()) {
                Put::Changed => {}
                put => return put,
            }
        }
    }
}

/// Who sits there, for as long as somebody looks.
pub(crate) enum Sitting<'a, U> {
    First(&'a Scope<U>),
    Since(Arc<Scope<U>>),
}

impl<U> Deref for Sitting<'_, U> {
    type Target = Scope<U>;

    fn deref(&self) -> &Scope<U> {
        match self {
            Sitting::First(scope) => scope,
            Sitting::Since(scope) => scope,
        }
    }
}

/// What is read of every member.
pub(super) struct Glance<'a, U> {
    epoch: u64,
    /// Who sits there, if nothing is in the way of asking them at once.
    scope: Option<&'a Scope<U>>,
}

impl<U> Glance<'_, U> {
    /// Reads ahead what permissions will read.
    #[inline]
    pub(super) fn fetch(&self) {
        if let Some(scope) = self.scope {
            scope.fetch();
        }
    }
}

/// What became of an event at one seat, as far as that is known at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offered {
    Delivered,
    Refused,
    /// Nobody sits there, nothing is made for them, or it waits.
    Nowhere,
}
