//! The revalidator: one task per session that revalidates the session after a change of rights and delivers its deferred
//! events.
//!
//! An event is deferred while the grants that its permission needs are being loaded, or while an earlier event or a change
//! of rights is pending, so that the events keep their order. A change begins an epoch at once
//! ([`Session::begin_revalidation`]); the task then evaluates the connect permission again before it delivers anything, and
//! the group permissions while it delivers. `deferral.rs` adds events to the list.
//!
//! The task runs only while there is work. However it ends, by a panic too, the callers that wait for it continue.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::backpressure::PausedPublishers;
use super::deferred::{Deferred, PendingRevalidation};
use super::pending_raises::MAX_RAISE_DELAY;
use super::queued_event::EventHandle;
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::{Epoch, Undo};
use crate::log::Cause;
use crate::panic::{catch_unwind, catch_unwind_future, drop_contained, log_entry};
use crate::sync::atomic::Ordering;
use crate::sync::{MutexGuard, ignore_poison, oneshot};
use crate::transport::CloseReason;

/// Guards the running task: however it ends, the callers that wait for it continue, and the session is closed if a change
/// of rights was still pending or being applied.
struct RevalidatorTask<C: Consumer>(Arc<Session<C>>, u64);

impl<C: Consumer> Drop for RevalidatorTask<C> {
    fn drop(&mut self) {
        let mut deferred = self.0.lock_deferred();
        // If the task has ended regularly, `next_job` has reset the number, and another task may run by now.
        if deferred.task == Some(self.1) {
            deferred.task = None;
            let pending_changes = std::mem::take(&mut deferred.pending_changes);
            let is_revalidating = std::mem::take(&mut deferred.is_revalidating);
            drop(deferred);
            if is_revalidating || !pending_changes.is_empty() {
                // It is unknown which permissions were evaluated, so the session must not continue.
                self.0.close_with(CloseReason::Failed);
            }
        }
    }
}

enum RevalidatorJob<C: Consumer> {
    Revalidate(Vec<oneshot::Sender<()>>),
    Deliver(EventHandle<Session<C>>, Epoch),
    /// There is nothing to do but to wait for the group permissions.
    Wait,
}

/// One revalidation, from the connect permission to the last group permission.
#[derive(Default)]
struct Round {
    /// The callers that wait for it.
    callers: Vec<oneshot::Sender<()>>,
    /// The evaluation of the group permissions. `None` if it has ended or not begun.
    checks: Option<BoxFuture<'static, ()>>,
    /// How often it has begun anew, because of another change, before everything was delivered.
    overtaken: usize,
}

impl Round {
    fn poll_checks(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(checks) = &mut self.checks {
            ready!(checks.as_mut().poll(cx));
            self.checks = None;
        }
        Poll::Ready(())
    }

    /// Ends the round: its callers continue.
    fn finish(&mut self) {
        for caller in self.callers.drain(..) {
            // The receiver may be gone: waiting is optional.
            let _ = caller.send(());
        }
    }
}

impl<C: Consumer> Session<C> {
    /// Begins an epoch after a change of rights. `invalidate` discards the grants from before the change. When this
    /// returns, no event is delivered and no action starts on the old rights. The returned value resolves when the connect
    /// permission and the group permissions have been evaluated again.
    pub(crate) fn begin_revalidation(self: &Arc<Self>, invalidate: impl FnOnce()) -> PendingRevalidation {
        let (sender, completed) = oneshot::channel();
        let epoch = self.raise(vec![sender], invalidate);
        PendingRevalidation { completed, epoch }
    }

    /// As [`begin_revalidation`](Self::begin_revalidation), once for several callers.
    pub(super) fn begin_shared_revalidation(self: &Arc<Self>, callers: usize) -> Vec<PendingRevalidation> {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..callers).map(|_| oneshot::channel()).unzip();
        let epoch = self.raise(senders, || ());
        receivers.into_iter().map(|completed| PendingRevalidation { completed, epoch }).collect()
    }

    fn raise(self: &Arc<Self>, callers: Vec<oneshot::Sender<()>>, invalidate: impl FnOnce()) -> Epoch {
        let mut deferred = self.lock_deferred();
        // From here on every event is deferred, and one that is being authorized gets stale with the epoch.
        self.has_deferred.store(true, Ordering::SeqCst);
        self.memberships.begin_revalidation();
        invalidate();
        let (epoch, recalled) = self.send_queue.recall();
        deferred.take_back(recalled);
        deferred.pending_changes.extend(callers);
        self.ensure_running(deferred);
        self.send_queue.start_gate().drain();
        epoch
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
        if undos.is_empty() {
            return;
        }
        for undo in undos {
            // A panic of one key must keep neither the other memberships nor the events. The group's permission decides on
            // the membership that stays.
            if let Err(panic) = catch_unwind(undo) {
                log_entry!(ERROR, cause = ?Cause::new(&panic.message()), "group key panicked when a join was reverted");
            }
        }
        drop(self.begin_revalidation(|| ()));
    }

    /// Spawns the task unless it runs.
    pub(super) fn ensure_running(self: &Arc<Self>, mut deferred: MutexGuard<'_, Deferred<Session<C>>>) {
        self.has_deferred.store(true, Ordering::SeqCst);
        if deferred.task.is_some() {
            let waker = deferred.task_waker.take();
            drop(deferred);
            if let Some(waker) = waker {
                waker.wake();
            }
            return;
        }
        deferred.task_count += 1;
        deferred.task = Some(deferred.task_count);
        let task = RevalidatorTask(self.clone(), deferred.task_count);
        drop(deferred);
        self.runtime.spawn(async move {
            let (session, mut round) = (&task.0, Round::default());
            while let Some(job) = session.next_job(&mut round) {
                let is_delivery = matches!(job, RevalidatorJob::Deliver(..));
                if let Err(panic) = catch_unwind_future(session.run_job(job, &mut round)).await {
                    // It is unknown which permissions were evaluated or whether the event is lost, so the session must not
                    // continue. The checks may be what has panicked, and must not be polled again.
                    session.close_with(CloseReason::Failed);
                    drop_contained(round.checks.take());
                    if is_delivery {
                        session.registry.telemetry.record_failure();
                    }
                    log_entry!(ERROR, cause = ?Cause::new(&panic.message()), "revalidator panicked");
                }
            }
        });
    }

    /// Returns the next job, or `None` if there is none; the task then counts as ended.
    fn next_job(&self, round: &mut Round) -> Option<RevalidatorJob<C>> {
        let mut deferred = self.lock_deferred();
        let finished = deferred.in_progress.take();
        let mut job = if deferred.pending_changes.is_empty() {
            deferred.in_progress = deferred.events.pop_front();
            let epoch = self.send_queue.epoch();
            deferred.in_progress.clone().map(|handle| RevalidatorJob::Deliver(handle, epoch))
        } else {
            Some(RevalidatorJob::Revalidate(std::mem::take(&mut deferred.pending_changes)))
        };
        // What ends with the session is dropped after the lock is released.
        let cancelled = if self.is_closing() { round.checks.take() } else { None };
        let (mut paused_publishers, is_checking) = (PausedPublishers::default(), round.checks.is_some());
        let is_revalidation = matches!(job, Some(RevalidatorJob::Revalidate(_)));
        deferred.is_revalidating = is_checking || is_revalidation;
        if job.is_none() {
            self.has_deferred.store(false, Ordering::SeqCst);
            paused_publishers = std::mem::take(&mut deferred.paused_publishers);
            if is_checking {
                job = Some(RevalidatorJob::Wait);
            } else {
                deferred.task = None;
            }
        }
        drop(deferred);
        if !is_checking && !is_revalidation {
            round.finish();
        }
        // Not under the lock: dropping an event may run the application's code.
        drop((finished, cancelled, paused_publishers));
        job
    }

    async fn run_job(self: &Arc<Self>, job: RevalidatorJob<C>, round: &mut Round) {
        match job {
            RevalidatorJob::Revalidate(callers) => {
                round.callers.extend(callers);
                round.checks = None;
                self.revalidate(round).await;
                round.overtaken += 1;
            }
            // A stale event was taken back by the change, and is delivered again from the list.
            RevalidatorJob::Deliver(handle, epoch) => self.deliver_deferred(&handle, epoch, round).await,
            RevalidatorJob::Wait => poll_fn(|cx| self.poll_work(round, cx)).await,
        }
    }

    /// Authorizes and enqueues a deferred event. A change of rights does not wait for it.
    async fn deliver_deferred(self: &Arc<Self>, handle: &EventHandle<Session<C>>, epoch: Epoch, round: &mut Round) {
        let overtaken = round.overtaken.saturating_sub(1);
        let mut settling = pin!(async {
            // What is replayed never exceeds the queue, even if the client reads slowly.
            while handle.is_replayed()
                && let Some(pacer) = self.send_queue.hold_if_crowded()
            {
                pacer.wait_for_release().await;
            }
            // More events may have waited than the queue holds.
            if let Some(pacer) = self.send_queue.hold_if_full() {
                pacer.ready().await;
            }
            let mut settling = pin!(handle.settle(self, epoch));
            // Changes that come faster than grants load wait for them, but not for a load that takes long.
            if let Some(_evaluation) = self.registry.pending_raises.wait_for(overtaken)
                && timeout(MAX_RAISE_DELAY, settling.as_mut()).await.is_ok()
            {
                return;
            }
            settling.await;
        });
        poll_fn(|cx| {
            let _ = round.poll_checks(cx);
            // Events that have waited for a group's permission go first.
            if self.lock_deferred().in_progress.is_none() {
                return Poll::Ready(());
            }
            if settling.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let mut deferred = self.lock_deferred();
            if deferred.pending_changes.is_empty() && !self.is_closing() {
                deferred.task_waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            // The event of a connection that has ended is dropped.
            if !self.is_closing()
                && let Some(handle) = deferred.in_progress.take()
            {
                deferred.events.push_front(handle);
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Evaluates the connect permission again, and begins to evaluate the group permissions.
    async fn revalidate(self: &Arc<Self>, round: &mut Round) {
        let _evaluation = self.registry.pending_raises.wait_for(round.overtaken);
        if self.revalidate_connect().await {
            round.checks = self.begin_group_checks(round.overtaken);
        }
    }

    /// Frees the buffer of the deferred events, if there are none.
    pub(crate) fn shrink_deferred(&self) {
        let mut deferred = self.lock_deferred();
        if deferred.events.is_empty() {
            deferred.events = VecDeque::new();
        }
    }

    /// Waits until all group permissions have been evaluated, or until there is something else to do.
    fn poll_work(&self, round: &mut Round, cx: &mut Context<'_>) -> Poll<()> {
        if round.poll_checks(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut deferred = self.lock_deferred();
        if deferred.events.is_empty() && deferred.pending_changes.is_empty() && !self.is_closing() {
            deferred.task_waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Discards the deferred events and releases the publishers that are held for them.
    pub(crate) fn discard_deferred(&self) {
        let (discarded, task) = {
            let mut deferred = self.lock_deferred();
            let discarded = (
                std::mem::take(&mut deferred.events),
                std::mem::take(&mut deferred.side_queues),
                deferred.in_progress.take(),
                std::mem::take(&mut deferred.paused_publishers),
            );
            (discarded, deferred.task_waker.take())
        };
        // Not under the lock: dropping an event may run the application's code.
        drop(discarded);
        if let Some(task) = task {
            task.wake();
        }
    }

    pub(crate) fn lock_deferred(&self) -> MutexGuard<'_, Deferred<Session<C>>> {
        ignore_poison(self.deferred.lock())
    }
}
