//! The permissions of the demo. They read the database for each message, so a revoked role has no effect any more at once.

use portcullis::{Handler, Permission, PermissionContext, Result};

use super::model::{Account, MessageId, Role, RoomId, UserId};
use super::store::Store;

/// A handler with a database. The permissions below work for every such handler.
pub(crate) trait HasStore: Handler<User = Account> {
    /// The database.
    fn store(&self) -> &Store;

    /// The caller's role in a room.
    fn role(&self, cx: &PermissionContext<'_, Account>, room: RoomId) -> Result<Option<Role>> {
        let Some(user) = cx.user() else { return Ok(None) };
        self.store().role(room, user.id)
    }
}

/// Holds if the caller administrates the whole site.
pub(crate) struct SiteAdmin;

impl<H: Handler<User = Account>> Permission<H> for SiteAdmin {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        Ok(cx.user().is_some_and(|user| user.admin))
    }
}

/// Holds if the caller has at least this role in the room.
pub(crate) struct HasRole(pub(crate) Role, pub(crate) RoomId);

impl<H: HasStore> Permission<H> for HasRole {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        Ok(handler.role(cx, self.1)? >= Some(self.0))
    }
}

/// Holds if the caller was banned from the room. Used as `!Banned`.
pub(crate) struct Banned(pub(crate) RoomId);

impl<H: HasStore> Permission<H> for Banned {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        let Some(user) = cx.user() else { return Ok(false) };
        handler.store().banned(self.0, user.id)
    }
}

/// Holds if the room is locked. A permission need not be about the caller.
pub(crate) struct Locked(pub(crate) RoomId);

impl<H: HasStore> Permission<H> for Locked {
    async fn has_permission(&self, handler: &H, _: &PermissionContext<'_, Account>) -> Result<bool> {
        let room = handler.store().room(self.0)?;
        Ok(room.is_some_and(|room| room.locked))
    }
}

/// Holds if the caller wrote the message.
pub(crate) struct Author(pub(crate) RoomId, pub(crate) MessageId);

impl<H: HasStore> Permission<H> for Author {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        let Some(user) = cx.user() else { return Ok(false) };
        let author = handler.store().author(self.0, self.1)?;
        Ok(author == Some(user.id))
    }
}

/// Holds if the caller is the user.
pub(crate) struct Themselves(pub(crate) UserId);

impl<H: Handler<User = Account>> Permission<H> for Themselves {
    async fn has_permission(&self, _: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        Ok(cx.user().is_some_and(|user| user.id == self.0))
    }
}

/// Holds if the caller has a higher role than the user.
pub(crate) struct Outranks(pub(crate) RoomId, pub(crate) UserId);

impl<H: HasStore> Permission<H> for Outranks {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        let theirs = handler.store().role(self.0, self.1)?;
        Ok(handler.role(cx, self.0)? > theirs)
    }
}
