//! Somebody who is connected shows fresh credentials: another identity in the same seat, with all that follows from it.

use std::sync::Arc;

use super::revalidator::PendingRevalidation;
use super::session::Session;
use crate::consumer::Consumer;
use crate::context::User;
use crate::error::{Error, Result};
use crate::transport::CloseCode;

impl<C: Consumer> Session<C> {
    /// How often what somebody may do has changed so far.
    pub(crate) fn change_count(&self) -> u64 {
        self.registry.change_count()
    }

    /// This user sits there from now on: the same as before, or the first. Grants are those of the new credentials, the door and
    /// the groups are asked again, and events that wait are too. `changes_at_start` counts the changes of what people may do that
    /// there had been when the credentials were looked at.
    pub(crate) fn renew(self: &Arc<Self>, user: C::User, changes_at_start: u64) -> Result<PendingRevalidation> {
        let current =
            self.scope().ok_or_else(|| Error::internal("nobody sits there whose credentials these could be"))?;
        // Credentials that have run out are nobody's.
        let renewed = current.renewed(user).map_err(|_| Error::denied().refused_by("the credentials have run out"))?;
        let scope = Arc::new(renewed);
        self.record_user_id(&scope);
        // Whoever was here first stays who they are.
        let is_same_user = |user: &C::User| user.id() == scope.user_id();
        if self.user_id().is_none_or(|user_id| user_id != scope.user_id()) || !current.user().is_none_or(is_same_user) {
            return Err(Error::denied().refused_by("the credentials are another user's"));
        }
        // Found before anything is loaded for them, so that no change is missed.
        self.registry.index_by_user(self);
        let change = self.begin_revalidation(|| self.replace_scope(scope));
        if self.registry.was_disconnected_since(self, changes_at_start) {
            self.close_with(CloseCode::Revoked);
        } else if self.registry.tombstones_expired_since(changes_at_start) {
            self.close_with(CloseCode::Failed);
        }
        Ok(change)
    }
}
