//! Re-authentication: replaces the user of a session by one with fresh credentials, and revalidates the session.

use std::sync::Arc;

use super::deferred::PendingRevalidation;
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::{Scope, User};
use crate::error::{Error, Result};
use crate::observe::record_user;
use crate::transport::CloseReason;

impl<C: Consumer> Session<C> {
    /// Returns the number of changes of rights so far.
    pub(crate) fn change_count(&self) -> u64 {
        self.registry.change_count()
    }

    /// Returns the scope of the session with a new user: the same user with fresh credentials, or the first one if the
    /// session is anonymous.
    ///
    /// # Errors
    ///
    /// 403 if the fresh credentials have expired or belong to another user.
    pub(crate) fn renewed_scope(&self, user: C::User) -> Result<Arc<Scope<C::User>>> {
        let current =
            self.scope().ok_or_else(|| Error::internal("bug: user replaced before the session was established"))?;
        // Expired credentials identify no user.
        let renewed = current.with_user(user).map_err(|_| Error::denied().with_leaf("the credentials have run out"))?;
        // A connection never changes from one user to another.
        let is_same_user = |user: &C::User| user.id() == renewed.user_id();
        if self.user_id().is_some_and(|user_id| user_id != renewed.user_id())
            || !current.user().is_none_or(is_same_user)
        {
            return Err(another_user());
        }
        Ok(Arc::new(renewed))
    }

    /// Replaces the user of the session by that of a [renewed scope](Session::renewed_scope). Grants are loaded anew, the
    /// connect permission and the group permissions are evaluated again, and queued events are authorized again.
    /// `changes_at_start` is the number of changes of rights when authentication began.
    ///
    /// # Errors
    ///
    /// 403 if the id of the user cannot be recorded, or differs from the one that was recorded first.
    pub(crate) fn renew(
        self: &Arc<Self>,
        scope: Arc<Scope<C::User>>,
        changes_at_start: u64,
    ) -> Result<PendingRevalidation> {
        let was_anonymous = self.user_id().is_none();
        self.record_user_id(&scope);
        if self.user_id().is_none_or(|user_id| user_id != scope.user_id()) {
            return Err(another_user());
        }
        // A change of rights finds the session from here on. Grants that were loaded before it, for joins, are forgotten.
        self.registry.index_by_user(self.id, &self.user_id, self);
        let change = self.begin_revalidation(|| {
            scope.forget_grants();
            self.replace_scope(scope);
        });
        if self.registry.was_disconnected_since(self.id, self.user_id(), changes_at_start) {
            self.close_with(CloseReason::Revoked);
        } else if self.registry.tombstones_expired_since(changes_at_start) {
            self.close_with(CloseReason::Failed);
        }
        // Once, because formatters of log entries append what is recorded again. Last, because a subscriber is called.
        if let (true, Some(span), Some(user_id)) = (was_anonymous, &self.span, self.user_id()) {
            record_user(span, user_id);
        }
        Ok(change)
    }
}

fn another_user() -> Error {
    Error::denied().with_leaf("the credentials are another user's")
}
