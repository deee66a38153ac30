//! One connection as groups know it: who sits there, what waits for them, and where they belong.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use super::delivery::{Note, Published};
use super::event::{Emits, Seeing};
use super::hub::{Hub, Membership};
use super::late::Late;
use super::mailbox::{Mailbox, Put};
use crate::consumer::Consumer;
use crate::error::{Error, Result};
use crate::scope::Scope;
use crate::transport::CloseCode;

/// One connection.
pub(crate) struct Seat<C: Consumer> {
    pub(super) id: u64,
    pub(super) consumer: Arc<C>,
    pub(super) hub: Arc<Hub<C>>,
    pub(crate) mailbox: Arc<Mailbox<Note<C>>>,
    /// Who sits there, once `#[connect]` has let them in.
    scope: OnceLock<Arc<Scope<C::User>>>,
    /// By which user they are found.
    user_id: OnceLock<String>,
    belongings: Mutex<Vec<Arc<dyn Belonging<C>>>>,
    groups: AtomicUsize,
    most_groups: usize,
    /// Events that wait for grants, and all that came after them.
    pub(super) late: Mutex<Late<C>>,
    pub(super) is_late: AtomicBool,
    /// How long grants and groups may take to answer.
    pub(super) time: Duration,
    pub(super) runtime: Handle,
}

/// A group that a connection belongs to.
pub(super) trait Belonging<C: Consumer>: Send + Sync {
    /// Whether it is this one.
    fn is(&self, group: &dyn Any) -> bool;
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
            id: hub.next_id(),
            consumer,
            hub: hub.clone(),
            mailbox: Arc::new(mailbox),
            scope: OnceLock::new(),
            user_id: OnceLock::new(),
            belongings: Mutex::default(),
            groups: AtomicUsize::new(0),
            most_groups,
            late: Mutex::new(Late::new()),
            is_late: AtomicBool::new(false),
            time,
            runtime: Handle::current(),
        })
    }

    pub(crate) fn consumer(&self) -> &C {
        &self.consumer
    }

    pub(super) fn scope(&self) -> Option<&Arc<Scope<C::User>>> {
        self.scope.get()
    }

    /// Somebody sits down: from now on events may come, and changes of grants are heard of.
    pub(crate) fn take(self: &Arc<Self>, scope: &Arc<Scope<C::User>>) {
        if self.scope.set(scope.clone()).is_ok() {
            // Asked once: that the application's code panics must not keep anybody from being found, nor from leaving.
            let name = || scope.user().map(|_| scope.user_id().into_owned());
            if let Ok(Some(user_id)) = catch_unwind(AssertUnwindSafe(name)) {
                let _ = self.user_id.set(user_id);
            }
            self.hub.arrived(self);
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

    pub(super) fn is_in(&self, group: &dyn Any) -> bool {
        self.lock_belongings().iter().any(|known| known.is(group))
    }

    /// The groups that it is in now.
    pub(super) fn belongings(&self) -> Vec<Arc<dyn Belonging<C>>> {
        self.lock_belongings().clone()
    }

    /// Belongs to a group, unless it does already.
    pub(super) fn belong(&self, group: &dyn Any, enter: impl FnOnce() -> Option<Arc<dyn Belonging<C>>>) {
        let mut belongings = self.lock_belongings();
        if !belongings.iter().any(|known| known.is(group)) {
            belongings.extend(enter());
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

    /// Gives an event to whoever sits here and may see it. Nothing waits for them.
    pub(super) fn offer<E>(self: &Arc<Self>, published: &Arc<Published<E>>, by: Option<&Arc<Membership<C>>>)
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let Some(scope) = self.scope.get() else { return };
        // Read first: who reads the epoch of a change sees below that the change is under way.
        let epoch = self.mailbox.epoch();
        // What comes after an event that waits has to wait too.
        if !self.is_late.load(Ordering::SeqCst) {
            match self.looks(&Seeing::new(&**scope), &published.event) {
                Some(true) if self.send(scope, published, by, epoch) == Put::Done => return,
                Some(false) => return,
                Some(true) | None => {}
            }
        }
        self.lag(Note::new(published.clone(), by.cloned()));
    }

    /// Whether they may see it. A panic is a no.
    pub(super) fn looks<E>(&self, seeing: &Seeing<'_, C::User>, event: &E) -> Option<bool>
    where
        C: Emits<E>,
    {
        catch_unwind(AssertUnwindSafe(|| self.consumer.may_see(seeing, event))).unwrap_or_else(|_| {
            tracing::error!(event = <C as Emits<E>>::NAME, "an event's permission panicked");
            Some(false)
        })
    }

    /// Puts it into the mailbox, as it was asked about in that epoch.
    pub(super) fn send<E>(
        &self,
        scope: &Scope<C::User>,
        published: &Arc<Published<E>>,
        by: Option<&Arc<Membership<C>>>,
        epoch: u64,
    ) -> Put
    where
        C: Emits<E>,
        E: Send + Sync + 'static,
    {
        let Some(frame) = published.frame(&*self.consumer, scope) else { return Put::Done };
        let note = Note::new(published.clone(), by.cloned());
        self.mailbox.put(&frame.0, note, epoch, by.map(|membership| membership.left()))
    }
}
