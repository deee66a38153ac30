//! Settles a deferred event at one session: its permission is evaluated again, and grants are loaded for it.

use std::sync::Arc;

use super::event::Subscriber;
use crate::consumer::Consumer;
use crate::context::{Epoch, Scope};
use crate::log::{Cause, Truncated};
use crate::panic::log_entry;
use crate::permission::{Expression, Refused};
use crate::session::revalidation::{CHECK_TIMEOUT, Retries, within};
use crate::session::send_queue::EnqueueOutcome;
use crate::session::session::Session;
use crate::transport::CloseReason;

/// Authorizes an event by `authorize`, which is evaluated again once its grants are loaded, and enqueues it by `enqueue` if
/// the subscriber may see it, with what `authorize` returns for it. `Stale` if the epoch has changed meanwhile. `event` and
/// `permission` are for the log.
pub(super) async fn settle<C: Consumer, T>(
    session: &Arc<Session<C>>,
    epoch: Epoch,
    (event, permission): (&str, &Expression),
    authorize: impl Fn(&Subscriber<'_, C::User>) -> Option<Result<T, Refused>>,
    enqueue: impl FnOnce(&Scope<C::User>, T) -> EnqueueOutcome,
) -> EnqueueOutcome {
    let Some(scope) = session.scope() else { return EnqueueOutcome::Discarded };
    let mut subscriber = Subscriber::new(&*scope);
    let mut retries = Retries::new(session.check_timeout);
    loop {
        if session.send_queue.epoch() != epoch {
            return EnqueueOutcome::Stale;
        }
        match authorize(&subscriber) {
            Some(Ok(authorized)) => return enqueue(&scope, authorized),
            Some(Err(Refused)) => {
                session.registry.telemetry.record_refusal();
                return EnqueueOutcome::Discarded;
            }
            None => {}
        }
        // Grants may be invalidated before they are read again; each round waits for the grant source, so the loop does not
        // spin.
        let limit = CHECK_TIMEOUT.min(retries.remaining());
        let Err(error) = within(limit, subscriber.load()).await else { continue };
        let (user, cause) = (session.user_id().map(Truncated::new), Cause::new(&error));
        session.registry.telemetry.record_failure();
        if !error.is_fault() {
            session.registry.telemetry.record_refusal();
            log_entry!(ERROR, ?user, event, %permission, ?cause, "event refused: grants could not be loaded");
            return EnqueueOutcome::Discarded;
        }
        log_entry!(ERROR, ?user, event, %permission, ?cause, "event delayed: grants could not be loaded");
        if !retries.wait().await {
            // The event cannot be delivered, and the client must not miss it without notice.
            session.spread_close().await;
            session.close_with(CloseReason::Failed);
            return EnqueueOutcome::Discarded;
        }
    }
}
