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
use crate::error::Result;
use crate::log::{Cause, Truncated};
use crate::transport::CloseReason;

/// The part of the maximum age after which the first sessions are renewed.
const FIRST_RENEWAL: f64 = 0.6;
/// The part over which the others follow.
const RENEWAL_SPREAD: f64 = 0.3;

/// What a renewal has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// The rights are the same, or what has changed has taken effect.
    Settled,
    /// The grants of the user have changed.
    Changed,
}

/// The task that waits for the sessions that are due, however it ends.
struct RenewalTask<C: Consumer>(Arc<SessionRegistry<C>>);

impl<C: Consumer> Drop for RenewalTask<C> {
    fn drop(&mut self) {
        self.0.renewals.end_task();
    }
}

impl<C: Consumer> Session<C> {
    /// Schedules the next renewal, unless rights have no maximum age.
    pub(crate) fn schedule_renewal(&self) {
        let Some(max_age) = self.max_age else { return };
        // A time beyond the range of the clock never comes.
        let Some(at) = Instant::now().checked_add(self.renewal_delay(max_age)) else { return };
        if !self.registry.renewals.add(at, self.id) {
            return;
        }
        let task = RenewalTask(self.registry.clone());
        self.runtime.spawn(async move {
            while let Some(id) = task.0.renewals.next().await {
                if let Some(session) = task.0.session(id) {
                    session.clone().runtime.spawn(session.renew_rights());
                }
            }
        });
    }

    /// Returns the time from one renewal to the next, which differs by session.
    fn renewal_delay(&self, max_age: Duration) -> Duration {
        max_age.mul_f64(FIRST_RENEWAL) + self.id.share_of(max_age.mul_f64(RENEWAL_SPREAD))
    }

    /// Renews the rights of the session, and repeats it after a fault. If they cannot be renewed until they are too old, an
    /// epoch begins, so that nothing happens on them any more.
    async fn renew_rights(self: Arc<Self>) {
        let Some(max_age) = self.max_age else { return };
        let mut retries = Retries::new(max_age.saturating_sub(self.renewal_delay(max_age)));
        while !self.is_closing() {
            let epoch = self.send_queue.epoch();
            match self.renew_once(epoch, max_age, CHECK_TIMEOUT.min(retries.remaining())).await {
                Ok(Found::Settled) => break,
                Ok(Found::Changed) => {}
                Err(error) => {
                    let (user, cause) = (self.user_id().map(Truncated::new), Cause::new(&error));
                    tracing::error!(?user, ?cause, "rights could not be renewed");
                    if retries.wait().await {
                        continue;
                    }
                }
            }
            drop(self.begin_revalidation(|| self.for_each_scope(Scope::forget_grants)));
            break;
        }
        if !self.is_closing() {
            self.schedule_renewal();
        }
    }

    /// Loads the grants and evaluates the permissions again. What an epoch overtakes is settled: the session has been
    /// revalidated since.
    async fn renew_once(self: &Arc<Self>, epoch: Epoch, max_age: Duration, limit: Duration) -> Result<Found> {
        let Some(scope) = self.scope() else { return Ok(Found::Settled) };
        let (has_changed, objects) = within(limit, scope.find_changes(max_age.mul_f64(FIRST_RENEWAL))).await?;
        drop(scope);
        if has_changed {
            return Ok(if self.send_queue.epoch() == epoch { Found::Changed } else { Found::Settled });
        }
        for object in objects {
            let _ = Refresh::new(self.registry.clone(), None, Change::Object(object)).await;
        }
        if let Err(error) = self.evaluate_connect(limit).await {
            if error.is_fault() {
                return Err(error);
            }
            let (user, cause, code) = (self.user_id().map(Truncated::new), Cause::new(&error), CloseReason::Revoked);
            tracing::info!(?user, ?cause, close_code = code.as_u16(), "connection closed: connect permission revoked");
            self.close_with(code);
            return Ok(Found::Settled);
        }
        let entries = self.memberships.entries();
        let results = join_all(entries.iter().map(|entry| self.evaluate_group(entry, limit))).await;
        let mut outcome = Ok(Found::Settled);
        for (entry, result) in entries.iter().zip(results) {
            match result {
                Ok(()) => {}
                Err(error) if error.is_fault() => outcome = Err(error),
                Err(error) => {
                    let (user, cause) = (self.user_id().map(Truncated::new), Cause::new(&error));
                    tracing::info!(?user, ?cause, "group membership ended: permission revoked");
                    self.end_membership(entry, epoch);
                }
            }
        }
        outcome
    }
}
