//! The state that all handlers share.

use std::sync::Arc;

use portcullis::{Handler, Result, Scope};

use super::model::{Account, RoomId};
use super::policy::{Policy, Standing};
use super::store::Store;

/// The database and the policy.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) policy: Arc<dyn Policy>,
}

/// A handler with the chat's state. Permissions and objects work for every such handler.
pub(crate) trait HasState: Handler<User = Account> {
    /// The state.
    fn state(&self) -> &State;

    /// The database.
    fn store(&self) -> &Store {
        &self.state().store
    }

    /// The caller's standing in a room. `None` if the connection is anonymous or the room does not exist.
    fn standing(&self, scope: &Scope<Account>, room: RoomId) -> Result<Option<Standing>> {
        let Some(user) = scope.user() else { return Ok(None) };
        self.store().standing(room, user.id)
    }
}
