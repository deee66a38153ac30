//! The revalidator: one task per session that revalidates the session after a change of rights and delivers its deferred
//! events.
//!
//! An event is deferred while the grants that its permission needs are being loaded, or while an earlier event or a change
//! of rights is pending, so that the events keep their order. A change begins an epoch at once
//! ([`Session::begin_revalidation`]); the task then evaluates the connect permission and the group permissions again before
//! it delivers anything. The overflow policy applies to deferred events as it does to queued ones.
//!
//! The task runs only while there is work. However it ends, by a panic too, the callers that wait for it continue.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::backpressure::PausedPublishers;
use super::deferred::Deferred;
use super::overflow::{OverflowPolicy, take_superseded};
use super::queued_event::EventHandle;
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::{ConnectContext, Epoch, Undo};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::panic::{catch_unwind_future, contain_future};
use crate::sync::atomic::Ordering;
use crate::sync::{MutexGuard, ignore_poison, oneshot};
use crate::transport::CloseCode;

/// A revalidation that is pending. It continues if this value is dropped.
pub(crate) struct PendingRevalidation {
    completed: oneshot::Receiver<()>,
    /// The epoch that the change began.
    pub(crate) epoch: Epoch,
}

impl PendingRevalidation {
    /// Waits until the session has been revalidated or has ended.
    ///
    /// # Cancel safety
    ///
    /// The revalidation continues if the future is dropped.
    pub(crate) async fn wait(self) {
        let _ = self.completed.await;
    }
}

/// Guards the running task: however it ends, the callers that wait for it continue, and the session is closed if a change
/// of rights was still pending.
struct RevalidatorTask<C: Consumer>(Arc<Session<C>>, u64);

impl<C: Consumer> Drop for RevalidatorTask<C> {
    fn drop(&mut self) {
        let mut deferred = self.0.lock_deferred();
        // If the task has ended regularly, `next_job` has reset the number, and another task may run by now.
        if deferred.task == Some(self.1) {
            deferred.task = None;
            let pending_changes = std::mem::take(&mut deferred.pending_changes);
            drop(deferred);
            if !pending_changes.is_empty() {
                // It is unknown which permissions were evaluated, so the session must not continue.
                self.0.close_with(CloseCode::Failed);
            }
        }
    }
}

/// Evaluates a permission within a deadline.
///
/// # Errors
///
/// 500 if the evaluation panics or does not finish in time.
pub(crate) async fn within_deadline(deadline: Instant, evaluation: impl Future<Output = Result<()>>) -> Result<()> {
    match timeout_at(deadline, contain_future(evaluation)).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Error::internal("a check panicked")),
        Err(_) => Err(Error::internal("a check took too long")),
    }
}

enum RevalidatorJob<C: Consumer> {
    Revalidate(Vec<oneshot::Sender<()>>),
    Deliver(EventHandle<Session<C>>, Epoch),
}

impl<C: Consumer> Session<C> {
    /// Defers an event, and applies the overflow policy if too many are deferred.
    pub(crate) fn push_deferred(self: &Arc<Self>, handle: EventHandle<Session<C>>) {
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
        let superseded: Vec<EventHandle<Session<C>>> = match self.send_queue.overflow_policy() {
            OverflowPolicy::Close => Vec::new(),
            OverflowPolicy::DropOldest => deferred.events.pop_front().into_iter().collect(),
            OverflowPolicy::KeepNewest => take_superseded(&mut deferred.events, |event| event),
        };
        if superseded.is_empty() {
            drop(deferred);
            return self.close_with(CloseCode::TooSlow);
        }
        self.ensure_running(deferred);
        self.send_queue.record_dropped(superseded.len());
    }

    /// Begins an epoch after a change of rights. `invalidate` discards the grants from before the change. When this
    /// returns, no event is delivered and no action starts on the old rights. The returned value resolves when the connect
    /// permission and the group permissions have been evaluated again.
    pub(crate) fn begin_revalidation(self: &Arc<Self>, invalidate: impl FnOnce()) -> PendingRevalidation {
        let (sender, completed) = oneshot::channel();
        let mut deferred = self.lock_deferred();
        // From here on every event is deferred, and one that is being authorized gets stale with the epoch.
        self.has_deferred.store(true, Ordering::SeqCst);
        self.memberships.begin_revalidation();
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

    /// Runs `join`, which adds a membership that was authorized in `evaluation_epoch`. If the epoch has changed since, the
    /// session is revalidated before anything is delivered, and the pending revalidation is returned.
    pub(crate) fn join_at_epoch(
        self: &Arc<Self>,
        evaluation_epoch: Epoch,
        join: impl FnOnce(),
    ) -> Option<PendingRevalidation> {
        // No epoch begins while this lock is held.
        let mut deferred = self.lock_deferred();
        if self.send_queue.epoch() == evaluation_epoch {
            join();
            return None;
        }
        self.has_deferred.store(true, Ordering::SeqCst);
        self.memberships.begin_revalidation();
        join();
        let (sender, completed) = oneshot::channel();
        deferred.pending_changes.push(sender);
        let epoch = self.send_queue.epoch();
        self.ensure_running(deferred);
        Some(PendingRevalidation { completed, epoch })
    }

    /// Reverts the joins of an action that turned out not to be authorized. Events that were queued by these memberships
    /// are recalled and then dropped.
    pub(crate) fn undo(self: &Arc<Self>, undos: Vec<Undo>) {
        if !undos.is_empty() {
            for undo in undos {
                undo();
            }
            drop(self.begin_revalidation(|| ()));
        }
    }

    /// Spawns the task unless it runs.
    fn ensure_running(self: &Arc<Self>, mut deferred: MutexGuard<'_, Deferred<Session<C>>>) {
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
                        // It is unknown which permissions were evaluated, so the session must not continue.
                        session.close_with(CloseCode::Failed);
                    }
                }
            }
        });
    }

    /// Returns the next job, or `None` if there is none; the task then counts as ended.
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
        // Not under the lock: dropping an event may run the application's code.
        drop((finished, paused_publishers));
        job
    }

    async fn run_job(self: &Arc<Self>, job: RevalidatorJob<C>) {
        match job {
            RevalidatorJob::Revalidate(pending_changes) => {
                self.revalidate().await;
                for sender in pending_changes {
                    // The receiver may be gone: waiting is optional.
                    let _ = sender.send(());
                }
            }
            // A stale event was taken back by the change, and is delivered again from the list.
            RevalidatorJob::Deliver(handle, epoch) => {
                handle.settle(self, epoch).await;
            }
        }
    }

    /// Evaluates the connect permission and all group permissions again, within the time of one action. Closes the
    /// connection if the former does not hold, and ends the memberships for which the latter do not.
    async fn revalidate(self: &Arc<Self>) {
        let _permit = self.registry.revalidation_permit().await;
        // Read after the wait for the permit: the user may have been replaced meanwhile.
        let Some(scope) = self.scope() else { return };
        let deadline = Instant::now() + self.check_timeout;
        let head = ConnectContext::<C::User>::head();
        let connect = ConnectContext::new(&scope, &head);
        if let Err(error) = within_deadline(deadline, self.consumer.authorize_connect(&connect)).await {
            let code = if error.is_fault() { CloseCode::Failed } else { CloseCode::Revoked };
            tracing::info!(user = ?self.user_id().map(Truncated::new), cause = ?Cause::new(&error), close_code = code.as_u16(), "connection closed: connect permission revoked");
            return self.close_with(code);
        }
        for entry in self.memberships.entries() {
            if let Err(error) = within_deadline(deadline, entry.authorize_member(&self.consumer, &scope)).await {
                tracing::info!(user = ?self.user_id().map(Truncated::new), cause = ?Cause::new(&error), "group membership ended: permission revoked");
                self.memberships.remove_entry(&entry);
            }
        }
        self.finish_revalidation();
    }

    /// Records that all group permissions have been evaluated again, unless another change is pending by now.
    fn finish_revalidation(&self) {
        let deferred = self.lock_deferred();
        if deferred.pending_changes.is_empty() {
            self.memberships.finish_revalidation();
        }
    }

    /// Frees the buffer of the deferred events, if there are none.
    pub(crate) fn shrink_deferred(&self) {
        let mut deferred = self.lock_deferred();
        if deferred.events.is_empty() {
            deferred.events = VecDeque::new();
        }
    }

    /// Discards the deferred events and releases the publishers that are held for them.
    pub(crate) fn discard_deferred(&self) {
        let discarded = {
            let mut deferred = self.lock_deferred();
            (
                std::mem::take(&mut deferred.events),
                deferred.in_progress.take(),
                std::mem::take(&mut deferred.paused_publishers),
            )
        };
        // Not under the lock: dropping an event may run the application's code.
        drop(discarded);
    }

    pub(crate) fn lock_deferred(&self) -> MutexGuard<'_, Deferred<Session<C>>> {
        ignore_poison(self.deferred.lock())
    }
}
