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
    pub(crate) fn changes(&self) -> u64 {
        self.hub.changes()
    }

    /// This user sits there from now on: the same as before, or the first. Grants are those of the new credentials, the door and
    /// the groups are asked again, and events that wait are too. `asked_at` counts the changes of what people may do that
    /// there had been when the credentials were looked at.
    pub(crate) fn renew(self: &Arc<Self>, user: C::User, asked_at: u64) -> Result<PendingRevalidation> {
        let before =
            self.scope().ok_or_else(|| Error::internal("nobody sits there whose credentials these could be"))?;
        // Credentials that have run out are nobody's.
        let renewed = before.renewed(user).map_err(|_| Error::denied().with_leaf("the credentials have run out"))?;
        let scope = Arc::new(renewed);
        self.remember(&scope);
        // Whoever was here first stays who they are.
        let is = |user: &C::User| user.id() == scope.user_id();
        if self.user_id().is_none_or(|known| known != scope.user_id()) || !before.user().is_none_or(is) {
            return Err(Error::denied().with_leaf("the credentials are another user's"));
        }
        // Found before anything is loaded for them, so that no change is missed.
        self.hub.identified(self);
        let change = self.change(|| self.set_scope(scope));
        if self.hub.is_disconnected(self, asked_at) {
            self.end(CloseCode::Revoked);
        } else if self.hub.has_forgotten(asked_at) {
            self.end(CloseCode::Failed);
        }
        Ok(change)
    }
}
