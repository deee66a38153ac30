//! How a change of who may do what reaches the sockets that are open.
//!
//! Messages need none of it, as each asks the database; events do, because a socket that is in a group gets them unasked. An
//! action that takes something from its own caller is answered all the same, as it goes by its context.

use portcullis::{Context, GrantKey as _, Result};

use super::lobby::Chat;
use super::model::{Account, RoomId, UserId};

/// What these people may do has changed. When it returns, they get nothing more that they may not have.
pub(crate) async fn people(cx: &Context<'_, Account>, users: &[UserId]) -> Result<()> {
    cx.connections::<Chat>()?.refresh_users(users.iter().map(UserId::to_string)).await;
    Ok(())
}

/// What a room changes of grants has changed.
pub(crate) async fn room(cx: &Context<'_, Account>, room: RoomId) -> Result<()> {
    cx.connections::<Chat>()?.refresh_object(&room.grant_key()).await;
    Ok(())
}
