//! Reports changes of rights to the open connections.
//!
//! Messages do not need this, because their permissions read the database each time; events do, because a member of a
//! group keeps receiving them. An action that revokes a right of its own caller is still answered, because it uses its
//! context.

use portcullis::{Context, Error, GrantKey as _, Propagation, Result};

use super::lobby::Chat;
use super::model::{Account, RoomId, UserId};

/// Reports a change of these users' rights. After it has returned, they receive nothing on their old rights.
pub(crate) async fn people(cx: &Context<'_, Account>, users: &[UserId]) -> Result<()> {
    check(&cx.connections::<Chat>()?.refresh_users(users.iter().map(UserId::to_string)).await)
}

/// Reports a change of a room's overwrites.
pub(crate) async fn room(cx: &Context<'_, Account>, room: RoomId) -> Result<()> {
    check(&cx.connections::<Chat>()?.refresh_object(&room.grant_key()).await)
}

/// Fails if the change may not have reached every connection yet.
fn check(propagation: &Propagation) -> Result<()> {
    if propagation.is_acknowledged() {
        return Ok(());
    }
    Err(Error::internal(format!("change of rights: {propagation:?}")))
}
