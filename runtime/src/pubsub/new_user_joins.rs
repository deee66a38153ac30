//! The groups that `#[authenticate]` joins. They are authorized for the user that it returns, who is unknown while it runs.

use std::fmt;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;

use crate::consumer::Consumer;
use crate::context::{ActionRates, CallSession, Handler, Scope, SideEffects};
use crate::error::Result;
use crate::panic::Contained;
use crate::session::session::Session;
use crate::sync::ignore_poison;

/// Authorizes a join for the user of the scope, and adds it to the side effects.
pub(super) type PendingJoin<C> = Box<
    dyn for<'a> FnOnce(
            &'a Arc<Session<C>>,
            &'a Scope<<C as Handler>::User>,
            &'a mut SideEffects,
        ) -> BoxFuture<'a, Result<()>>
        + Send,
>;

/// The groups that one call of `#[authenticate]` joins.
pub(crate) struct NewUserJoins<C: Consumer> {
    session: Arc<Session<C>>,
    /// Contained, because a join owns the key of its group, which is dropped if the authentication is refused.
    pending: Mutex<Vec<Contained<PendingJoin<C>>>>,
}

impl<C: Consumer> NewUserJoins<C> {
    pub(crate) fn new(session: Arc<Session<C>>) -> NewUserJoins<C> {
        NewUserJoins { session, pending: Mutex::new(Vec::new()) }
    }

    pub(super) fn push(&self, join: PendingJoin<C>) {
        ignore_poison(self.pending.lock()).push(Contained::new(join));
    }

    /// Authorizes the joins for the user of a scope, in the order in which they were recorded. Returns `None` if there are
    /// none.
    ///
    /// # Errors
    ///
    /// The error of the first join that is refused.
    pub(crate) async fn authorize(&self, scope: &Scope<C::User>) -> Result<Option<Box<SideEffects>>> {
        let pending = std::mem::take(&mut *ignore_poison(self.pending.lock()));
        let mut effects = SideEffects::default();
        for join in pending {
            join.into_inner()(&self.session, scope, &mut effects).await?;
        }
        Ok((!effects.is_empty()).then(|| Box::new(effects)))
    }
}

impl<C: Consumer> CallSession for NewUserJoins<C> {
    fn consumer_name(&self) -> &'static str {
        C::NAME
    }

    fn action_rates(&self) -> Option<&ActionRates> {
        None
    }
}

impl<C: Consumer> fmt::Debug for NewUserJoins<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUserJoins").finish_non_exhaustive()
    }
}
