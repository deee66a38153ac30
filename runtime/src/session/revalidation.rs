//! Evaluates the permissions of a session again after a change of rights: the connect permission, and then those of all its
//! groups at the same time. What a fault or a slow check costs stays with the session, or with the members of the group.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use tokio::time::{Instant, sleep, timeout};

use super::current_scope::CurrentScope;
use super::membership::Membership;
use super::memberships::MembershipEntry;
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::{Call, ConnectContext, Epoch};
use crate::error::{Error, Result};
use crate::log::{Cause, Truncated};
use crate::panic::{contain_future, log_entry};
use crate::sync::atomic::Ordering;
use crate::transport::CloseReason;

/// The time limit of one evaluation of a group permission, and of one attempt to load the grants that an event needs.
pub(crate) const CHECK_TIMEOUT: Duration = Duration::from_secs(5);

/// The time for which an evaluation keeps its turn. One that takes longer runs on, but no longer delays those of other groups
/// and users.
const MAX_TURN: Duration = Duration::from_millis(100);

/// The time between a fault and the next evaluation. It doubles with each further one.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(50);

/// The time over which the connections close that a lasting fault concerns, so that they do not come back all at once.
const CLOSE_SPREAD: Duration = Duration::from_secs(5);

/// The attempts to evaluate a permission, while it fails.
pub(crate) struct Retries {
    expires_at: Instant,
    delay: Duration,
}

impl Retries {
    pub(crate) fn new(limit: Duration) -> Retries {
        Retries { expires_at: Instant::now() + limit, delay: FIRST_RETRY_DELAY }
    }

    /// Returns the time limit of the next evaluation.
    pub(crate) fn remaining(&self) -> Duration {
        self.expires_at.saturating_duration_since(Instant::now())
    }

    /// Waits before the next evaluation. Returns false if there is no time for one.
    pub(crate) async fn wait(&mut self) -> bool {
        let delay = self.delay;
        self.delay *= 2;
        let is_in_time = delay < self.remaining();
        if is_in_time {
            sleep(delay).await;
        }
        is_in_time
    }
}

/// Runs a check, or the load that one needs, within a time limit.
///
/// # Errors
///
/// Its error, and 500 if it panics or does not finish in time.
pub(crate) async fn within<T>(limit: Duration, check: impl Future<Output = Result<T>>) -> Result<T> {
    match timeout(limit, contain_future(check)).await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(Error::internal(format!("a check panicked: {}", panic.message()))),
        Err(_) => Err(Error::internal("a check took too long")),
    }
}

/// Evaluates the permissions of a call within a time limit.
///
/// # Errors
///
/// As [`within`]. The error names the leaf that refused, failed, panicked or did not finish in time.
pub(crate) async fn evaluate_within<U>(
    limit: Duration,
    call: &Call<'_, U>,
    evaluation: impl Future<Output = Result<()>>,
) -> Result<()> {
    within(limit, evaluation).await.map_err(|error| match call.unanswered() {
        Some(leaf) if error.leaf().is_none() => error.with_leaf(leaf),
        _ => error,
    })
}

/// Runs an evaluation, and drops `turn` when it ends or takes longer than [`MAX_TURN`].
async fn take_turn<T>(turn: T, evaluation: impl Future<Output = Result<()>>) -> Result<()> {
    let mut evaluation = Box::pin(evaluation);
    let first = timeout(MAX_TURN, &mut evaluation).await;
    drop(turn);
    match first {
        Ok(outcome) => outcome,
        Err(_) => evaluation.await,
    }
}

impl<C: Consumer> Session<C> {
    /// Evaluates the connect permission when it is the user's turn.
    ///
    /// # Errors
    ///
    /// The refusal, and 500 if the evaluation panics or does not finish within `limit`.
    pub(super) async fn evaluate_connect(&self, limit: Duration) -> Result<()> {
        let key = self.user_id().map_or_else(|| self.id.to_string(), str::to_owned);
        let turn = self.registry.revalidation_turns.acquire(key).await;
        // Read after the wait for the turn: the user may have been replaced meanwhile.
        let scope =
            self.scope().ok_or_else(|| Error::internal("bug: session revalidated before it was established"))?;
        let head = ConnectContext::<C::User>::head();
        let connect = ConnectContext::new(&scope, &head);
        let evaluation = self.consumer.authorize_connect(&connect);
        take_turn(turn, evaluate_within(limit, connect.call(), evaluation)).await
    }

    /// Evaluates the permission of a group when it is the group's turn.
    ///
    /// # Errors
    ///
    /// As [`evaluate_connect`](Self::evaluate_connect).
    pub(super) async fn evaluate_group(&self, entry: &Arc<dyn MembershipEntry<C>>, limit: Duration) -> Result<()> {
        let turn = self.registry.group_turns.acquire(entry.membership().group_id).await;
        let scope =
            self.scope().ok_or_else(|| Error::internal("bug: session revalidated before it was established"))?;
        take_turn(turn, entry.authorize_member(&self.consumer, &scope, limit)).await
    }

    /// Evaluates the connect permission again, and repeats it after a fault. Returns false if it does not hold, and closes the
    /// connection unless rights have changed meanwhile.
    pub(super) async fn revalidate_connect(self: &Arc<Self>) -> bool {
        let mut retries = Retries::new(self.check_timeout);
        loop {
            // Read before the scope and the rights, so that a change in between shows.
            let epoch = self.send_queue.epoch();
            let evaluation = self.evaluate_connect(CHECK_TIMEOUT.min(retries.remaining()));
            let Err(error) = evaluation.await else { return true };
            if !error.is_fault() {
                self.close_revoked(epoch, &error);
                return false;
            }
            let (user, leaf, cause) = (self.user_id().map(Truncated::new), error.leaf(), Cause::new(&error));
            log_entry!(ERROR, ?user, leaf, ?cause, "connect permission could not be evaluated");
            if !retries.wait().await {
                self.spread_close().await;
                self.close_with(CloseReason::Failed);
                return false;
            }
            // One that its peer has ended may still begin messages, and one that an action closes still receives events.
            if self.is_closing() && self.send_queue.start_gate().is_closed() {
                return false;
            }
        }
    }

    /// Closes the connection, because its connect permission has refused with `error`. If rights have changed since `epoch`,
    /// which was read before the evaluation, the revalidation that is pending evaluates the permission again.
    pub(super) fn close_revoked(&self, epoch: Epoch, error: &Error) {
        let discarded = {
            // No epoch begins while this lock is held.
            let _deferred = self.lock_deferred();
            if self.send_queue.epoch() != epoch {
                return;
            }
            self.send_queue.close_with(CloseReason::Revoked)
        };
        // Not under the lock: dropping an event may run the application's code.
        drop(discarded);
        self.close_with(CloseReason::Revoked);
        let (user, leaf, cause) = (self.user_id().map(Truncated::new), error.leaf(), Cause::new(error));
        let close_code = CloseReason::Revoked.as_u16();
        log_entry!(INFO, ?user, leaf, ?cause, close_code, "connection closed: connect permission revoked");
    }

    /// Begins to evaluate the permissions of all groups again: from here on only their events wait. Returns `None` if there
    /// are no groups, or if another change is pending, after which they are evaluated anyway.
    pub(super) fn begin_group_checks(self: &Arc<Self>, overtaken: usize) -> Option<BoxFuture<'static, ()>> {
        let mut deferred = self.lock_deferred();
        if !deferred.pending_changes.is_empty() {
            return None;
        }
        let (epoch, entries) = (self.send_queue.epoch(), self.memberships.unverify_each(&self.send_queue));
        deferred.is_revalidating = !entries.is_empty();
        drop(deferred);
        if entries.is_empty() {
            return None;
        }
        let session = self.clone();
        Some(Box::pin(async move {
            // Changes that come faster than the checks end wait for them, but not for one that takes long.
            let overtaken = session.registry.pending_raises.wait_for(overtaken);
            let checks = join_all(entries.iter().map(|entry| session.check_group(entry, epoch)));
            let mut checks = Box::pin(checks);
            if let Some(overtaken) = overtaken {
                let is_done = timeout(MAX_TURN, &mut checks).await.is_ok();
                drop(overtaken);
                if is_done {
                    return;
                }
            }
            checks.await;
        }))
    }

    /// Evaluates the permission of one group again, and repeats it after a fault.
    async fn check_group(self: &Arc<Self>, entry: &Arc<dyn MembershipEntry<C>>, epoch: Epoch) {
        let mut retries = Retries::new(self.check_timeout);
        while let Err(error) = self.evaluate_group(entry, CHECK_TIMEOUT.min(retries.remaining())).await {
            if !error.is_fault() {
                return self.end_membership(entry, epoch, &error);
            }
            let (user, group, leaf) = (self.user_id().map(Truncated::new), entry.group_type(), error.leaf());
            let cause = Cause::new(&error);
            log_entry!(ERROR, ?user, group, leaf, ?cause, "group permission could not be evaluated");
            if !retries.wait().await {
                self.spread_close().await;
                return self.close_with(CloseReason::Failed);
            }
        }
        if let Some(scope) = self.release_held(entry.membership(), epoch) {
            // A connection that was anonymous when it joined may have a user by now.
            entry.add_user(scope, epoch);
        }
    }

    /// Lets the events of a membership be delivered again, first those that have waited. Returns the scope that has passed the
    /// group's permission, or `None` if another change has overtaken the evaluation.
    fn release_held(&self, membership: &Arc<Membership>, epoch: Epoch) -> Option<CurrentScope<'_, C::User>> {
        let mut deferred = self.lock_deferred();
        if self.send_queue.epoch() != epoch {
            // The change that has begun this epoch has taken the events back.
            return None;
        }
        let events = deferred.take_side_queue(membership);
        if !events.is_empty() {
            // Before the membership delivers again, so that no later event overtakes these.
            self.has_deferred.store(true, Ordering::SeqCst);
            deferred.resume(events);
        }
        membership.verify(&self.send_queue);
        // Under the lock: re-authentication, which replaces it, begins an epoch.
        self.scope()
    }

    /// Ends a membership, because the permission of its group has refused with `error`, and tells its subscriptions. Does
    /// nothing if rights have changed since `epoch`, which was read before the evaluation.
    pub(super) fn end_membership(self: &Arc<Self>, entry: &Arc<dyn MembershipEntry<C>>, epoch: Epoch, error: &Error) {
        let membership = entry.membership();
        let (ids, events) = {
            // While this lock is held, no epoch begins, no join takes effect, and no event gets into the side queue.
            let mut deferred = self.lock_deferred();
            if self.send_queue.epoch() != epoch || !self.memberships.remove_entry(entry) {
                return;
            }
            let ids = membership.request_ids();
            membership.end(&self.send_queue);
            (ids, deferred.take_side_queue(membership))
        };
        // Not under the lock: dropping an event or a key may run the application's code.
        drop(events);
        entry.leave();
        if !ids.is_empty() {
            self.notify_unsubscribed(membership.group_name.as_deref(), &ids);
        }
        let (user, group, leaf) = (self.user_id().map(Truncated::new), entry.group_type(), error.leaf());
        log_entry!(INFO, ?user, group, leaf, cause = ?Cause::new(error), "group membership ended: permission revoked");
    }

    /// Waits for this session's part of the time over which connections close.
    pub(crate) async fn spread_close(&self) {
        sleep(self.id.share_of(CLOSE_SPREAD)).await;
    }
}
