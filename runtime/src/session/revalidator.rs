//! What cannot be delivered at once: events that wait for grants, all that came after them, and changes of grants, which
//! everything waits for. One task a connection works it off in order.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use tokio::time::{Instant, timeout_at};

use super::backpressure::PausedPublishers;
use super::overflow::{Coalesce, OverflowPolicy, superseded};
use super::send_queue::EnqueueOutcome;
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::{Call, ConnectContext, Scope};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::message::Undo;
use crate::panic::{catch_unwind_future, contain_future};
use crate::pubsub::context::entry;
use crate::pubsub::event::Emits;
use crate::pubsub::group::Group;
use crate::pubsub::membership::DeliveryPath;
use crate::pubsub::publication::{EventHandle, Publication};
use crate::sync::atomic::Ordering;
use crate::sync::{MutexGuard, oneshot};
use crate::transport::CloseCode;

/// What waits, in order.
pub(crate) struct Deferred<C: Consumer> {
    events: VecDeque<EventHandle<C>>,
    /// The event that is being asked about. A change of grants takes it back.
    current: Option<EventHandle<C>>,
    /// Who waits for a change of grants to be through. It goes before every event.
    changes: Vec<oneshot::Sender<()>>,
    /// The number of the task that works it off, while there is one.
    worker: Option<u64>,
    workers: u64,
    /// Publishing connections that are held until no deferred event is left. Each is held at most once, since a check may
    /// take long.
    holds: PausedPublishers,
}

impl<C: Consumer> Deferred<C> {
    pub(crate) fn new() -> Deferred<C> {
        Deferred {
            events: VecDeque::new(),
            current: None,
            changes: Vec::new(),
            worker: None,
            workers: 0,
            holds: PausedPublishers::default(),
        }
    }
}

/// A change that is under way. Dropping it changes nothing.
pub(crate) struct PendingRevalidation {
    through: oneshot::Receiver<()>,
    /// The epoch that it asks in.
    pub(crate) epoch: u64,
}

impl PendingRevalidation {
    /// Waits until it is through, or the connection is gone.
    pub(crate) async fn through(self) {
        let _ = self.through.await;
    }
}

/// The task that works off what is late. However it ends, nobody waits for it any more.
struct Worker<C: Consumer>(Arc<Session<C>>, u64);

impl<C: Consumer> Drop for Worker<C> {
    fn drop(&mut self) {
        let mut late = self.0.lock_late();
        // It says so itself where it has nothing more to do, and then another may have begun.
        if late.worker == Some(self.1) {
            late.worker = None;
            let unasked = std::mem::take(&mut late.changes);
            drop(late);
            if !unasked.is_empty() {
                // Nobody knows what was asked and what was not.
                self.0.end(CloseCode::Failed);
            }
        }
    }
}

/// An answer in time; a panic or a late one is an error.
async fn within(end: Instant, asking: impl Future<Output = Result<()>>) -> Result<()> {
    match timeout_at(end, contain_future(asking)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(Error::internal("a check panicked")),
        Err(_) => Err(Error::internal("a check took too long")),
    }
}

enum Work<C: Consumer> {
    Changes(Vec<oneshot::Sender<()>>),
    Event(EventHandle<C>, u64),
}

impl<C: Consumer> Session<C> {
    /// An event waits for its turn.
    pub(crate) fn lag(self: &Arc<Self>, note: EventHandle<C>) {
        let mut late = self.lock_late();
        if self.mailbox.is_over() {
            return;
        }
        late.events.push_back(note);
        if late.events.len() > self.mailbox.most() / 2 {
            late.holds.hold_current(true);
        }
        if late.events.len() <= self.mailbox.most() {
            return self.work(late);
        }
        let unwanted: Vec<EventHandle<C>> = match self.mailbox.policy() {
            OverflowPolicy::Close => Vec::new(),
            OverflowPolicy::DropOldest => late.events.pop_front().into_iter().collect(),
            OverflowPolicy::KeepNewest => superseded(&mut late.events, Coalesce::stands_for),
        };
        if unwanted.is_empty() {
            drop(late);
            return self.end(CloseCode::TooSlow);
        }
        self.work(late);
        self.mailbox.dropped(unwanted.len());
    }

    /// What whoever sits here may do has changed; `forget` forgets what was true before. From now on nothing is delivered on
    /// it; what this gives is through once the door and the groups have been asked again.
    pub(crate) fn change(self: &Arc<Self>, forget: impl FnOnce()) -> PendingRevalidation {
        let (done, through) = oneshot::channel();
        let mut late = self.lock_late();
        // From here on every event waits; what is asked about at this moment does not get in any more.
        self.is_late.store(true, Ordering::SeqCst);
        forget();
        let (epoch, recalled) = self.mailbox.recall();
        let current = late.current.take();
        for note in current.into_iter().chain(recalled.rev()) {
            late.events.push_front(note);
        }
        late.changes.push(done);
        self.work(late);
        self.mailbox.gate().drain();
        PendingRevalidation { through, epoch }
    }

    /// Lets it into a group that it was asked about in that epoch. Where something has changed since, it is asked again before
    /// anything is delivered: that is under way then.
    pub(crate) fn enter(self: &Arc<Self>, asked_in: u64, enter: impl FnOnce()) -> Option<PendingRevalidation> {
        // Nothing changes while this is held.
        let mut late = self.lock_late();
        if self.mailbox.epoch() == asked_in {
            enter();
            return None;
        }
        self.is_late.store(true, Ordering::SeqCst);
        enter();
        let (done, through) = oneshot::channel();
        late.changes.push(done);
        let epoch = self.mailbox.epoch();
        self.work(late);
        Some(PendingRevalidation { through, epoch })
    }

    /// Lets it into a group from outside, if the group's permission does. Whether it is in it then.
    pub(crate) async fn let_in<G: Group<Consumer = C>>(self: &Arc<Self>, group: G) -> bool {
        // First of all, so that what changes after it is asked about again.
        let asked_in = self.mailbox.epoch();
        let Some(scope) = self.scope() else { return false };
        let head = ConnectContext::<C::User>::head();
        let call = Call::new(&scope, &head, &[], &[], &[]);
        let asked = within(Instant::now() + self.time, group.may_join(&self.consumer, &call)).await;
        let room = || if self.is_in(&group, None) { Ok(None) } else { self.reserve(0).map(Some) };
        match asked.and_then(|()| entry(group.clone(), None, room()?)) {
            Ok(entry) => {
                let enter = || _ = self.hub.enter(self, entry);
                if let Some(change) = self.enter(asked_in, enter) {
                    change.through().await;
                }
                self.is_in(&group, None)
            }
            Err(error) => {
                tracing::info!(user = ?self.user_id().map(Truncated::words), group = G::NAME, cause = ?Cause::new(&error), "group join refused");
                false
            }
        }
    }

    /// Takes back what an action has caused. What has come by it is asked about again, and then does not come.
    pub(crate) fn undo(self: &Arc<Self>, undos: Vec<Undo>) {
        if !undos.is_empty() {
            for undo in undos {
                undo();
            }
            drop(self.change(|| ()));
        }
    }

    fn work(self: &Arc<Self>, mut late: MutexGuard<'_, Deferred<C>>) {
        self.is_late.store(true, Ordering::SeqCst);
        if late.worker.is_some() {
            return;
        }
        late.workers += 1;
        late.worker = Some(late.workers);
        let worker = Worker(self.clone(), late.workers);
        drop(late);
        self.runtime.spawn(async move {
            let seat = &worker.0;
            while let Some(work) = seat.next_work() {
                let changes = matches!(work, Work::Changes(_));
                if let Err(panic) = catch_unwind_future(seat.do_work(work)).await {
                    tracing::error!(cause = ?Cause::new(&panic.message()), "revalidator panicked");
                    if changes {
                        // Nobody knows what was asked and what was not.
                        seat.end(CloseCode::Failed);
                    }
                }
            }
        });
    }

    fn next_work(&self) -> Option<Work<C>> {
        let mut late = self.lock_late();
        let done = late.current.take();
        let work = if late.changes.is_empty() {
            late.current = late.events.pop_front();
            let epoch = self.mailbox.epoch();
            late.current.clone().map(|note| Work::Event(note, epoch))
        } else {
            Some(Work::Changes(std::mem::take(&mut late.changes)))
        };
        let mut holds = PausedPublishers::default();
        if work.is_none() {
            late.worker = None;
            self.is_late.store(false, Ordering::SeqCst);
            holds = std::mem::take(&mut late.holds);
        }
        drop(late);
        // Not under the lock: an event may run its own code when it is dropped.
        drop((done, holds));
        work
    }

    async fn do_work(self: &Arc<Self>, work: Work<C>) {
        match work {
            Work::Changes(waiting) => {
                self.ask_again().await;
                for done in waiting {
                    // Nobody may wait any more.
                    let _ = done.send(());
                }
            }
            // One that is stale by now was taken back, and comes again.
            Work::Event(note, epoch) => {
                note.settle(self, epoch).await;
            }
        }
    }

    /// Asks the door and the groups again, all of them in the time of an action.
    async fn ask_again(self: &Arc<Self>) {
        let _turn = self.hub.turn().await;
        // Now, not when the turn was asked for: somebody else may sit there since.
        let Some(scope) = self.scope() else { return };
        let end = Instant::now() + self.time;
        let head = ConnectContext::<C::User>::head();
        let connect = ConnectContext::new(&scope, &head);
        if let Err(error) = within(end, self.consumer.authorize_connect(&connect)).await {
            let code = if error.is_fault() { CloseCode::Failed } else { CloseCode::Revoked };
            tracing::info!(user = ?self.user_id().map(Truncated::words), cause = ?Cause::new(&error), close_code = code.number(), "connection closed: connect permission revoked");
            return self.end(code);
        }
        for belonging in self.belongings() {
            if let Err(error) = within(end, belonging.may_stay(&self.consumer, &scope)).await {
                tracing::info!(user = ?self.user_id().map(Truncated::words), cause = ?Cause::new(&error), "group membership ended: permission revoked");
                self.part_with(&belonging);
            }
        }
    }

    /// Puts in what was asked about; from then on no change takes it back from here.
    pub(crate) fn hand_over<E>(
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
            let mut late = self.lock_late();
            let (put, unwanted) = self.mailbox.put(frame, note, epoch, seen, || way.standing());
            let done =
                if matches!(put, EnqueueOutcome::In | EnqueueOutcome::Gone) { late.current.take() } else { None };
            drop(late);
            // Not under the lock: an event may run its own code when it is dropped.
            drop((done, unwanted));
            put
        })
    }

    /// Nobody waits for anything any more.
    pub(crate) fn give_up(&self) {
        let given_up = {
            let mut late = self.lock_late();
            (std::mem::take(&mut late.events), late.current.take(), std::mem::take(&mut late.holds))
        };
        // Not under the lock: an event may run its own code when it is dropped.
        drop(given_up);
    }

    fn lock_late(&self) -> MutexGuard<'_, Deferred<C>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
