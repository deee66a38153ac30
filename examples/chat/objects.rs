//! Loaders of messages and members, and extractors.

use std::num::NonZeroU32;

use portcullis::http::StatusCode;
use portcullis::{Context, Error, FromContext, Handler, Load, Result};
use serde::Deserialize;

use super::model::{Account, Message, MessageId, Place, RoomId, UserId};
use super::policy::Standing;
use super::state::HasState;

/// A message of the route's room. Messages of other rooms and deleted messages count as missing.
impl<H: HasState> Load<H> for Message {
    type Key = MessageId;
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn load(handler: &H, cx: &Context<'_, Account>, id: &MessageId) -> Result<Option<Message>> {
        let room: RoomId = cx.capture("room_id")?;
        Ok(handler.store().message(*id)?.filter(|message| message.room == room && !message.deleted))
    }
}

/// A message of any room, guarded only by a permission about that room.
pub(crate) struct Elsewhere(pub(crate) Message);

impl<H: HasState> Load<H> for Elsewhere {
    type Key = MessageId;
    const CAPTURES: &'static [&'static str] = &[];

    async fn load(handler: &H, _: &Context<'_, Account>, id: &MessageId) -> Result<Option<Elsewhere>> {
        Ok(handler.store().message(*id)?.filter(|message| !message.deleted).map(Elsewhere))
    }
}

/// A member of the route's room.
impl<H: HasState> Load<H> for Place {
    type Key = UserId;
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn load(handler: &H, cx: &Context<'_, Account>, user: &UserId) -> Result<Option<Place>> {
        handler.store().place(cx.capture("room_id")?, *user)
    }
}

/// The caller.
#[derive(Clone, Copy)]
pub(crate) struct Caller(pub(crate) UserId);

impl<H: Handler<User = Account>> FromContext<H> for Caller {
    async fn from_context(_: &H, cx: &Context<'_, Account>) -> Result<Self> {
        Ok(Caller(cx.require_user()?.id))
    }
}

/// The caller's standing in the route's room.
impl<H: HasState> FromContext<H> for Standing {
    async fn from_context(handler: &H, cx: &Context<'_, Account>) -> Result<Self> {
        handler.standing(cx.scope(), cx.capture("room_id")?)?.ok_or_else(Error::denied)
    }
}

/// The `page` in the query of the message's route, as in `rooms/1/?page=2`. Without that key, it is 1.
#[derive(Clone, Copy)]
pub(crate) struct PageNumber(pub(crate) u32);

impl<H: Handler> FromContext<H> for PageNumber {
    async fn from_context(_: &H, cx: &Context<'_, H::User>) -> Result<Self> {
        #[derive(Deserialize)]
        struct Query {
            page: Option<NonZeroU32>,
        }
        Ok(PageNumber(cx.query::<Query>()?.page.map_or(1, NonZeroU32::get)))
    }
}

/// Returns the text if it is not empty. Arguments are validated in the action, after its permissions.
pub(crate) fn filled(field: &'static str, text: String) -> Result<String> {
    if text.trim().is_empty() {
        return Err(Error::new(StatusCode::BAD_REQUEST, "empty", "It must not be empty.").with_field(field));
    }
    Ok(text)
}
