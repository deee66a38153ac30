//! Extractors: parameters that are made from the context instead of the message's keys.

use portcullis::{Context, Error, FromContext, Handler, Result};
use serde::Deserialize;

use super::model::{Account, Room, UserId};
use super::permissions::HasStore;

/// The caller. 403 if the connection is anonymous, in case a permission admits it.
#[derive(Clone, Copy)]
pub(crate) struct Caller(pub(crate) UserId);

impl<H: Handler<User = Account>> FromContext<H> for Caller {
    async fn from_context(_: &H, cx: &Context<'_, Account>) -> Result<Self> {
        Ok(Caller(cx.require_user()?.id))
    }
}

/// The page number in the route's query: `rooms/1/?page=2`. The first page is 1.
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

/// The room of the route. 404 if it does not exist, which only a site admin can see: other callers are refused before.
impl<H: HasStore> FromContext<H> for Room {
    async fn from_context(handler: &H, cx: &Context<'_, Account>) -> Result<Self> {
        handler.store().room(cx.capture("room_id")?)?.ok_or_else(Error::not_found)
    }
}
