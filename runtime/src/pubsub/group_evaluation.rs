//! Evaluation of the expressions of a group: whether a user may join it, and whether a user may publish to it.

use std::sync::Arc;
use std::time::Duration;

use super::group::Group;
use crate::context::{Call, ConnectContext, Epoch, Handler, Scope, User};
use crate::error::Result;
use crate::session::revalidation::evaluate_within;
use crate::session::session::Session;

/// What a connection wants to do with a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupAccess {
    Join,
    Publish,
}

impl GroupAccess {
    /// Evaluates the expression of the group that guards this access.
    async fn evaluate<G: Group>(
        self,
        group: &G,
        consumer: &G::Consumer,
        call: &Call<'_, <G::Consumer as Handler>::User>,
    ) -> Result<()> {
        match self {
            GroupAccess::Join => group.authorize_join(consumer, call).await,
            GroupAccess::Publish => group.authorize_publish(consumer, call).await,
        }
    }
}

/// Evaluates an expression of a group for the current user of the session. Returns the epoch in which it held, which may
/// have ended by then.
pub(super) async fn authorize<G: Group, U: User>(
    call: &Call<'_, U>,
    session: &Arc<Session<G::Consumer>>,
    group: &G,
    access: GroupAccess,
) -> Result<Epoch>
where
    G::Consumer: Handler<User = U>,
{
    // Read before the scope and before any check, so that a change in between shows.
    let evaluation_epoch = session.send_queue.epoch();
    match session.scope().filter(|current| !std::ptr::eq(&raw const **current, call.scope())) {
        // The user has been replaced since the action began. The current one must be authorized, because its rights decide
        // what it receives. Boxed, because it is rare, and the futures of actions contain this one.
        Some(current) => Box::pin(authorize_scope(group, &session.consumer, &current, access)).await?,
        None => access.evaluate(group, &session.consumer, call).await?,
    }
    Ok(evaluation_epoch)
}

/// Evaluates an expression of a group for the user of a scope.
pub(super) async fn authorize_scope<G: Group>(
    group: &G,
    consumer: &G::Consumer,
    scope: &Scope<<G::Consumer as Handler>::User>,
    access: GroupAccess,
) -> Result<()> {
    let head = ConnectContext::<<G::Consumer as Handler>::User>::head();
    access.evaluate(group, consumer, &Call::new(scope, &head, &[], &[], &[])).await
}

/// Evaluates the permission of a group for the user of a scope, within a time limit.
///
/// # Errors
///
/// As [`evaluate_within`].
pub(super) async fn authorize_scope_within<G: Group>(
    limit: Duration,
    group: &G,
    consumer: &G::Consumer,
    scope: &Scope<<G::Consumer as Handler>::User>,
) -> Result<()> {
    let head = ConnectContext::<<G::Consumer as Handler>::User>::head();
    let call = Call::new(scope, &head, &[], &[], &[]);
    evaluate_within(limit, &call, GroupAccess::Join.evaluate(group, consumer, &call)).await
}
