//! What cannot be delivered at once: events that wait for grants, all that came after them, and changes of grants, which
//! everything waits for. One task a connection works it off in order.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use tokio::time::{Instant, timeout_at};

use super::backpressure::PausedPublishers;
use super::overflow::{Coalesce, OverflowPolicy, take_superseded};
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::{ConnectContext, Undo};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::panic::{catch_unwind_future, contain_future};
use crate::session::queued_event::EventHandle;
use crate::sync::atomic::Ordering;
use crate::sync::{MutexGuard, oneshot};
use crate::transport::CloseCode;

/// What waits, in order.
pub(crate) struct Deferred<C: Consumer> {
    events: VecDeque<EventHandle<C>>,
    /// The event that is being asked about. A change of grants takes it back.
    pub(crate) in_progress: Option<EventHandle<C>>,
    /// Who waits for a change of grants to be through. It goes before every event.
    pending_changes: Vec<oneshot::Sender<()>>,
    /// The number of the task that works it off, while there is one.
    task: Option<u64>,
    task_count: u64,
    /// Publishing connections that are held until no deferred event is left. Each is held at most once, since a check may
    /// take long.
    paused_publishers: PausedPublishers,
}

impl<C: Consumer> Deferred<C> {
    pub(crate) fn new() -> Deferred<C> {
        Deferred {
            events: VecDeque::new(),
            in_progress: None,
            pending_changes: Vec::new(),
            task: None,
            task_count: 0,
            paused_publishers: PausedPublishers::default(),
        }
    }
}

/// A change that is under way. Dropping it changes nothing.
pub(crate) struct PendingRevalidation {
    completed: oneshot::Receiver<()>,
    /// The epoch that it asks in.
    pub(crate) epoch: u64,
}

impl PendingRevalidation {
    /// Waits until it is through, or the connection is gone.
    pub(crate) async fn wait(self) {
        let _ = self.completed.await;
    }
}

/// The task that works off what is late. However it ends, nobody waits for it any more.
struct RevalidatorTask<C: Consumer>(Arc<Session<C>>, u64);

impl<C: Consumer> Drop for RevalidatorTask<C> {
    fn drop(&mut self) {
        let mut deferred = self.0.lock_deferred();
        // It says so itself where it has nothing more to do, and then another may have begun.
        if deferred.task == Some(self.1) {
            deferred.task = None;
            let pending_changes = std::mem::take(&mut deferred.pending_changes);
            drop(deferred);
            if !pending_changes.is_empty() {
                // Nobody knows what was asked and what was not.
                self.0.close_with(CloseCode::Failed);
            }
        }
    }
}

/// An answer in time; a panic or a late one is an error.
pub(crate) async fn within_deadline(deadline: Instant, evaluation: impl Future<Output = Result<()>>) -> Result<()> {
    match timeout_at(deadline, contain_future(evaluation)).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Error::internal("a check panicked")),
        Err(_) => Err(Error::internal("a check took too long")),
    }
}

enum RevalidatorJob<C: Consumer> {
    Revalidate(Vec<oneshot::Sender<()>>),
    Deliver(EventHandle<C>, u64),
}

impl<C: Consumer> Session<C> {
    /// An event waits for its turn.
    pub(crate) fn push_deferred(self: &Arc<Self>, handle: EventHandle<C>) {
        let mut deferred = self.lock_deferred();
        if self.send_queue.is_closed() {
            return;
        }
        deferred.events.push_back(handle);
        if deferred.events.len() > self.send_queue.max_events() / 2 {
            deferred.paused_publishers.hold_current(true);
        }
        if deferred.events.len() <= self.send_queue.max_events() {
            return self.ensure_running(deferred);
        }
        let superseded: Vec<EventHandle<C>> = match self.send_queue.overflow_policy() {
            OverflowPolicy::Close => Vec::new(),
            OverflowPolicy::DropOldest => deferred.events.pop_front().into_iter().collect(),
            OverflowPolicy::KeepNewest => take_superseded(&mut deferred.events, Coalesce::coalescing_key),
        };
        if superseded.is_empty() {
            drop(deferred);
            return self.close_with(CloseCode::TooSlow);
        }
        self.ensure_running(deferred);
        self.send_queue.record_dropped(superseded.len());
    }

    /// What whoever sits here may do has changed; `forget` forgets what was true before. From now on nothing is delivered on
    /// it; what this gives is through once the door and the groups have been asked again.
    pub(crate) fn begin_revalidation(self: &Arc<Self>, invalidate: impl FnOnce()) -> PendingRevalidation {
        let (sender, completed) = oneshot::channel();
        let mut deferred = self.lock_deferred();
        // From here on every event waits; what is asked about at this moment does not get in any more.
        self.has_deferred.store(true, Ordering::SeqCst);
        invalidate();
        let (epoch, recalled) = self.send_queue.recall();
        let in_progress = deferred.in_progress.take();
        for handle in in_progress.into_iter().chain(recalled.rev()) {
            deferred.events.push_front(handle);
        }
        deferred.pending_changes.push(sender);
        self.ensure_running(deferred);
        self.send_queue.start_gate().drain();
        PendingRevalidation { completed, epoch }
    }

    /// Lets it into a group that it was asked about in that epoch. Where something has changed since, it is asked again before
    /// anything is delivered: that is under way then.
    pub(crate) fn join_at_epoch(
        self: &Arc<Self>,
        evaluation_epoch: u64,
        join: impl FnOnce(),
    ) -> Option<PendingRevalidation> {
        // Nothing changes while this is held.
        let mut deferred = self.lock_deferred();
        if self.send_queue.epoch() == evaluation_epoch {
            join();
            return None;
        }
        self.has_deferred.store(true, Ordering::SeqCst);
        join();
        let (sender, completed) = oneshot::channel();
        deferred.pending_changes.push(sender);
        let epoch = self.send_queue.epoch();
        self.ensure_running(deferred);
        Some(PendingRevalidation { completed, epoch })
    }

    /// Takes back what an action has caused. What has come by it is asked about again, and then does not come.
    pub(crate) fn undo(self: &Arc<Self>, undos: Vec<Undo>) {
        if !undos.is_empty() {
            for undo in undos {
                undo();
            }
            drop(self.begin_revalidation(|| ()));
        }
    }

    fn ensure_running(self: &Arc<Self>, mut deferred: MutexGuard<'_, Deferred<C>>) {
        self.has_deferred.store(true, Ordering::SeqCst);
        if deferred.task.is_some() {
            return;
        }
        deferred.task_count += 1;
        deferred.task = Some(deferred.task_count);
        let task = RevalidatorTask(self.clone(), deferred.task_count);
        drop(deferred);
        self.runtime.spawn(async move {
            let session = &task.0;
            while let Some(job) = session.next_job() {
                let is_revalidation = matches!(job, RevalidatorJob::Revalidate(_));
                if let Err(panic) = catch_unwind_future(session.run_job(job)).await {
                    tracing::error!(cause = ?Cause::new(&panic.message()), "revalidator panicked");
                    if is_revalidation {
                        // Nobody knows what was asked and what was not.
                        session.close_with(CloseCode::Failed);
                    }
                }
            }
        });
    }

    fn next_job(&self) -> Option<RevalidatorJob<C>> {
        let mut deferred = self.lock_deferred();
        let finished = deferred.in_progress.take();
        let job = if deferred.pending_changes.is_empty() {
            deferred.in_progress = deferred.events.pop_front();
            let epoch = self.send_queue.epoch();
            deferred.in_progress.clone().map(|handle| RevalidatorJob::Deliver(handle, epoch))
        } else {
            Some(RevalidatorJob::Revalidate(std::mem::take(&mut deferred.pending_changes)))
        };
        let mut paused_publishers = PausedPublishers::default();
        if job.is_none() {
            deferred.task = None;
            self.has_deferred.store(false, Ordering::SeqCst);
            paused_publishers = std::mem::take(&mut deferred.paused_publishers);
        }
        drop(deferred);
        // Not under the lock: an event may run its own code when it is dropped.
        drop((finished, paused_publishers));
        job
    }

    async fn run_job(self: &Arc<Self>, job: RevalidatorJob<C>) {
        match job {
            RevalidatorJob::Revalidate(pending_changes) => {
                self.revalidate().await;
                for sender in pending_changes {
                    // Nobody may wait any more.
                    let _ = sender.send(());
                }
            }
            // One that is stale by now was taken back, and comes again.
            RevalidatorJob::Deliver(handle, epoch) => {
                handle.settle(self, epoch).await;
            }
        }
    }

    /// Asks the door and the groups again, all of them in the time of an action.
    async fn revalidate(self: &Arc<Self>) {
        let _permit = self.registry.revalidation_permit().await;
        // Now, not when the turn was asked for: somebody else may sit there since.
        let Some(scope) = self.scope() else { return };
        let deadline = Instant::now() + self.check_timeout;
        let head = ConnectContext::<C::User>::head();
        let connect = ConnectContext::new(&scope, &head);
        if let Err(error) = within_deadline(deadline, self.consumer.may_connect(&connect)).await {
            let code = if error.is_fault() { CloseCode::Failed } else { CloseCode::Revoked };
            tracing::info!(user = ?self.user_id().map(Truncated::words), cause = ?Cause::new(&error), close_code = code.number(), "connection closed: connect permission revoked");
            return self.close_with(code);
        }
        for entry in self.memberships() {
            if let Err(error) = within_deadline(deadline, entry.authorize_member(&self.consumer, &scope)).await {
                tracing::info!(user = ?self.user_id().map(Truncated::words), cause = ?Cause::new(&error), "group membership ended: permission revoked");
                self.remove_entry(&entry);
            }
        }
    }

    /// Nobody waits for anything any more.
    pub(crate) fn discard_deferred(&self) {
        let discarded = {
            let mut deferred = self.lock_deferred();
            (
                std::mem::take(&mut deferred.events),
                deferred.in_progress.take(),
                std::mem::take(&mut deferred.paused_publishers),
            )
        };
        // Not under the lock: an event may run its own code when it is dropped.
        drop(discarded);
    }

    pub(crate) fn lock_deferred(&self) -> MutexGuard<'_, Deferred<C>> {
        self.deferred.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
