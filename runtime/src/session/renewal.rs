//! Renewal: loads the grants of a session again before they are too old, and evaluates its connect and group permissions
//! again. It begins an epoch only if something has changed, so nothing waits for it and no action is reauthorized.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::refresh::Refresh;
use super::refresh_target::Change;
use super::revalidation::{CHECK_TIMEOUT, Retries, within};
use super::session::{Session, SessionRegistry};
use crate::consumer::Consumer;
use crate::context::{Epoch, Scope};
use crate::grants::{MAX_REUSE_AGE, ObjectKey};
use crate::log::{Cause, Truncated};
use crate::panic::{catch_unwind_future, log_entry};
use crate::sync::lock;

/// The part of the maximum age after which the first sessions are renewed.
const FIRST_RENEWAL: f64 = 0.6;
/// The part over which the others follow.
const RENEWAL_SPREAD: f64 = 0.3;
/// The part of the maximum age after which a renewal fails: overwrites may be older than the last renewal by the rest.
const LAST_RENEWAL: f64 = 1.0 - MAX_REUSE_AGE;

/// How a renewal ends, unless it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RenewalOutcome {
    /// The rights are the same, or what has changed has taken effect.
    Settled,
    /// The grants of the user have changed.
    Changed,
}

/// The task that waits for the sessions that are due, however it ends.
struct RenewalTask<C: Consumer> {
    registry: Arc<SessionRegistry<C>>,
    /// Whether the schedule knows that the task has ended. Another one may run by now.
    has_ended: bool,
}

impl<C: Consumer> RenewalTask<C> {
    /// Renews sessions until none is scheduled.
    async fn run(mut self) {
        while let Some(id) = self.registry.renewals.next().await {
            if let Some(session) = self.registry.session(id) {
                session.clone().runtime.spawn(session.renew_rights());
            }
        }
        self.has_ended = true;
    }
}

impl<C: Consumer> Drop for RenewalTask<C> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.registry.renewals.end_task();
        }
    }
}

impl<C: Consumer> Session<C> {
    /// Schedules the next renewal, unless rights have no maximum age.
    pub(crate) fn schedule_renewal(&self) {
        self.schedule_renewal_after(Instant::now());
    }

    /// Schedules the renewal that follows one that has begun at `last`.
    fn schedule_renewal_after(&self, last: Instant) {
        let Some(max_age) = self.max_age else { return };
        // A time beyond the range of the clock never comes.
        let Some(at) = last.checked_add(self.renewal_delay(max_age)) else { return };
        let needs_task = self.registry.renewals.add(at, self.id);
        *lock(&self.renewal_at) = Some(at);
        if self.is_closing() {
            // The session may have ended before the time was stored, and found nothing to remove.
            self.cancel_renewal();
        }
        if !needs_task {
            return;
        }
        self.runtime.spawn(RenewalTask { registry: self.registry.clone(), has_ended: false }.run());
    }

    /// Removes the session from the schedule. Called once it accepts no further event.
    pub(super) fn cancel_renewal(&self) {
        let renewal_at = lock(&self.renewal_at).take();
        if let Some(at) = renewal_at {
            self.registry.renewals.remove(at, self.id);
        }
    }

    /// Returns the time from one renewal to the next, which differs by session.
    fn renewal_delay(&self, max_age: Duration) -> Duration {
        max_age.mul_f64(FIRST_RENEWAL) + self.id.share_of(max_age.mul_f64(RENEWAL_SPREAD))
    }

    /// Renews the rights of the session, and schedules the next renewal.
    async fn renew_rights(self: Arc<Self>) {
        let Some(max_age) = self.max_age else { return };
        let renewed_at = catch_unwind_future(self.renew_in_time(max_age)).await.unwrap_or_else(|panic| {
            // It is unknown which permissions were evaluated, so all are evaluated again.
            self.begin_renewed_epoch();
            log_entry!(ERROR, cause = ?Cause::new(&panic.message()), "renewal panicked");
            Instant::now()
        });
        if !self.is_closing() {
            self.schedule_renewal_after(renewed_at);
        }
    }

    /// Renews the rights of the session, and repeats the renewal after a fault. If the rights have changed or cannot be
    /// renewed until they are too old, an epoch begins. Returns when the last attempt has begun.
    async fn renew_in_time(self: &Arc<Self>, max_age: Duration) -> Instant {
        let last_renewal = max_age.mul_f64(LAST_RENEWAL);
        let mut retries = Retries::new(last_renewal.saturating_sub(self.renewal_delay(max_age)));
        let mut began_at = Instant::now();
        while !self.is_closing() {
            began_at = Instant::now();
            let outcome = self.renew_once(self.send_queue.epoch(), &retries).await;
            if outcome == Ok(RenewalOutcome::Settled) {
                break;
            }
            if outcome.is_err() && retries.wait().await {
                continue;
            }
            // What is evaluated from now on uses no overwrites that could not be renewed: they are too old.
            self.begin_renewed_epoch();
            break;
        }
        began_at
    }

    /// Begins an epoch on grants that are loaded again, so that nothing happens on the old ones any more.
    fn begin_renewed_epoch(self: &Arc<Self>) {
        drop(self.begin_revalidation(|| self.for_each_scope(Scope::forget_grants)));
    }

    /// Revalidates the connections that use these objects, on overwrites that are loaded again.
    async fn refresh_objects(&self, objects: Vec<ObjectKey>) {
        if !objects.is_empty() {
            let _ = Refresh::new(self.registry.clone(), None, Change::Objects(objects)).on_this_machine().await;
        }
    }

    /// Loads the grants and evaluates the permissions again, within the time that is left. If a new epoch has begun
    /// meanwhile, the renewal is settled: the session has been revalidated since. Logs a fault.
    async fn renew_once(self: &Arc<Self>, epoch: Epoch, retries: &Retries) -> Result<RenewalOutcome, ()> {
        let Some(scope) = self.scope() else { return Ok(RenewalOutcome::Settled) };
        let user = self.user_id().map(Truncated::new);
        let limit = || CHECK_TIMEOUT.min(retries.remaining());
        let changes = within(limit(), scope.find_changes()).await;
        drop(scope);
        let (has_changed, objects) = changes.map_err(|error| {
            log_entry!(ERROR, ?user, cause = ?Cause::new(&error), "grants could not be renewed");
        })?;
        self.refresh_objects(objects).await;
        if has_changed {
            return Ok(RenewalOutcome::Changed);
        }
        // An evaluation may also wait for its turn.
        if let Err(error) = within(retries.remaining(), self.evaluate_connect(limit())).await {
            if error.is_fault() {
                let (leaf, cause) = (error.leaf(), Cause::new(&error));
                log_entry!(ERROR, ?user, leaf, ?cause, "connect permission could not be renewed");
                return Err(());
            }
            self.close_revoked(epoch, &error);
            return Ok(RenewalOutcome::Settled);
        }
        let entries = self.memberships.entries();
        let evaluations = entries.iter().map(|entry| within(retries.remaining(), self.evaluate_group(entry, limit())));
        let results = join_all(evaluations).await;
        let mut outcome = Ok(RenewalOutcome::Settled);
        for (entry, result) in entries.iter().zip(results) {
            let Err(error) = result else { continue };
            if error.is_fault() {
                let (group, leaf, cause) = (entry.group_type(), error.leaf(), Cause::new(&error));
                log_entry!(ERROR, ?user, group, leaf, ?cause, "group permission could not be renewed");
                outcome = Err(());
            } else {
                self.end_membership(entry, epoch, &error);
            }
        }
        outcome
    }
}
