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
    wait(cx.connections::<Chat>()?.refresh_users(users.iter().map(UserId::to_string)).await).await
}

/// Reports a change of a room's overwrites.
pub(crate) async fn room(cx: &Context<'_, Account>, room: RoomId) -> Result<()> {
    wait(cx.connections::<Chat>()?.refresh_object(&room.grant_key()).await).await
}

/// Waits until the change holds in all processes. Fails with 500 if the broker has not confirmed it: the change then holds
/// in this process, and the user repeats the action.
async fn wait(propagation: Propagation) -> Result<()> {
    match propagation {
        Propagation::Acknowledged { .. } => Ok(()),
        // A process has not answered, or this one has just started and does not know all others yet.
        Propagation::Incomplete { safe_after: Some(safe_after), .. } => {
            tokio::time::sleep(safe_after).await;
            Ok(())
        }
        other => Err(Error::internal(format!("change of rights: {other:?}"))),
    }
}
