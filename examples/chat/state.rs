//! What all handlers share.

use std::sync::Arc;

use portcullis::{Context, Handler, Result};

use super::model::{Account, RoomId};
use super::policy::{Policy, Standing};
use super::store::Store;

/// The database, and the decisions that an application may replace.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) policy: Arc<dyn Policy>,
}

/// A handler with the chat's state: permissions and objects fit every one of them.
pub(crate) trait Stated: Handler<User = Account> {
    /// The state.
    fn state(&self) -> &State;

    /// The database.
    fn store(&self) -> &Store {
        &self.state().store
    }

    /// How the sender stands to a room. `None` for an anonymous one, and where there is no such room.
    fn standing(&self, cx: &Context<'_, Account>, room: RoomId) -> Result<Option<Standing>> {
        let Some(user) = cx.user() else { return Ok(None) };
        self.store().standing(room, user.id)
    }
}
