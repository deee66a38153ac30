//! Parameters that are made from the context instead of the message's keys.

use portcullis::{Context, Error, FromContext, Handler, Result};
use serde::Deserialize;

use super::model::{Account, Room, UserId};
use super::permissions::Stored;

/// Who sent the message. 403 for an anonymous one, should a permission ever let it come this far.
#[derive(Clone, Copy)]
pub(crate) struct Caller(pub(crate) UserId);

impl<H: Handler<User = Account>> FromContext<H> for Caller {
    async fn from_context(_: &H, cx: &Context<'_, Account>) -> Result<Self> {
        Ok(Caller(cx.require_user()?.id))
    }
}

/// The page that the route's query asks for: `rooms/1/?page=2`. The first one is 1.
#[derive(Clone, Copy, Deserialize)]
pub(crate) struct Page {
    #[serde(default = "first")]
    page: u32,
}

fn first() -> u32 {
    1
}

impl Page {
    /// The page's number, from 1.
    pub(crate) fn number(self) -> u32 {
        self.page.max(1)
    }
}

impl<H: Handler> FromContext<H> for Page {
    async fn from_context(_: &H, cx: &Context<'_, H::User>) -> Result<Self> {
        cx.query()
    }
}

/// The room of the route. 404 where there is none, which only a site admin can see: everybody else was refused before.
impl<H: Stored> FromContext<H> for Room {
    async fn from_context(handler: &H, cx: &Context<'_, Account>) -> Result<Self> {
        handler.store().room(cx.capture("room_id")?)?.ok_or_else(Error::not_found)
    }
}
