//! The permissions of the demo. They read the database for each message, so a revoked role has no effect any more at once.

use portcullis::{Context, Handler, Permission, Result};

use super::model::{Account, MessageId, Role, RoomId, UserId};
use super::store::Store;

/// A handler with a database. The permissions below work for every such handler.
pub(crate) trait HasStore: Handler<User = Account> {
    /// The database.
    fn store(&self) -> &Store;

    /// The caller's role in the room of the route.
    fn role(&self, cx: &Context<'_, Account>) -> Result<Option<Role>> {
        let Some(user) = cx.user() else { return Ok(None) };
        self.store().role(cx.capture("room_id")?, user.id)
    }
}

/// Holds if the caller administrates the whole site.
pub(crate) struct SiteAdmin;

impl<H: Handler<User = Account>> Permission<H> for SiteAdmin {
    async fn has_permission(&self, _: &H, cx: &Context<'_, Account>) -> Result<bool> {
        Ok(cx.user().is_some_and(|user| user.admin))
    }
}

/// Holds if the caller has at least this role in the room of the route.
pub(crate) struct HasRole(pub(crate) Role);

impl<H: HasStore> Permission<H> for HasRole {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        Ok(handler.role(cx)? >= Some(self.0))
    }
}

/// Holds if the caller was banned from the room of the route. Used as `!Banned`.
pub(crate) struct Banned;

impl<H: HasStore> Permission<H> for Banned {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        let Some(user) = cx.user() else { return Ok(false) };
        handler.store().banned(cx.capture("room_id")?, user.id)
    }
}

/// Holds if the room of the route is locked. A permission need not be about the caller.
pub(crate) struct Locked;

impl<H: HasStore> Permission<H> for Locked {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        let room = handler.store().room(cx.capture::<RoomId>("room_id")?)?;
        Ok(room.is_some_and(|room| room.locked))
    }
}

/// Holds if the caller wrote the message of the route.
pub(crate) struct Author;

impl<H: HasStore> Permission<H> for Author {
    const CAPTURES: &'static [&'static str] = &["room_id", "message_id"];

    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        let Some(user) = cx.user() else { return Ok(false) };
        let author = handler.store().author(cx.capture("room_id")?, cx.capture::<MessageId>("message_id")?)?;
        Ok(author == Some(user.id))
    }
}

/// Holds if the caller is the user of the route.
pub(crate) struct Themselves;

impl<H: Handler<User = Account>> Permission<H> for Themselves {
    const CAPTURES: &'static [&'static str] = &["user_id"];

    async fn has_permission(&self, _: &H, cx: &Context<'_, Account>) -> Result<bool> {
        let person = cx.capture::<UserId>("user_id")?;
        Ok(cx.user().is_some_and(|user| user.id == person))
    }
}

/// Holds if the caller has a higher role than the user of the route.
pub(crate) struct Outranks;

impl<H: HasStore> Permission<H> for Outranks {
    const CAPTURES: &'static [&'static str] = &["room_id", "user_id"];

    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        let theirs = handler.store().role(cx.capture("room_id")?, cx.capture("user_id")?)?;
        Ok(handler.role(cx)? > theirs)
    }
}
