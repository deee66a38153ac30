//! One room: `rooms/{room_id}/`. A refusal here does not reveal whether a route or action below exists.

use std::fmt::Write as _;

use http::StatusCode;
use portcullis::{Created, Error, NoContent, Result, handler};
use serde::Serialize;

use super::extract::{Caller, Page};
use super::members::Members;
use super::messages::Messages;
use super::model::{Account, Message, MessageId, Role, Room, RoomId, Text};
use super::permissions::{Banned, HasRole, HasStore, Locked, SiteAdmin};
use super::store::Store;

/// The handler of rooms; the route names the room.
pub(crate) struct Rooms {
    store: Store,
    messages: Messages,
    members: Members,
}

impl Rooms {
    /// Creates the handler over this database.
    pub(crate) fn new(store: Store) -> Rooms {
        Rooms { messages: Messages::new(store.clone()), members: Members::new(store.clone()), store }
    }
}

impl HasStore for Rooms {
    fn store(&self) -> &Store {
        &self.store
    }
}

/// A room with a page of its messages, the newest first.
#[derive(Serialize)]
struct Reading {
    room: Room,
    page: u32,
    messages: Vec<Message>,
}

/// The id of the new message.
#[derive(Serialize)]
struct Posted {
    id: MessageId,
}

#[handler(user = Account, permission = "HasRole(Role::Member, {room_id}) & !Banned({room_id}) | SiteAdmin")]
impl Rooms {
    /// `rooms/1/?page=2` is the second page.
    #[action]
    fn read(&self, #[path] room_id: RoomId, #[extract] room: Room, #[extract] page: Page) -> Result<Reading> {
        let page = page.number();
        Ok(Reading { room, page, messages: self.store.messages(room_id, page)? })
    }

    #[action(permission = "!Locked({room_id}) | HasRole(Role::Moderator, {room_id})", validate)]
    fn post(
        &self,
        #[path] room_id: RoomId,
        #[extract] _room: Room,
        #[extract] caller: Caller,
        text: Text,
    ) -> Result<Created<Posted>> {
        let id = self.store.post(room_id, caller.0, &text.0)?;
        Ok(Created(Posted { id }))
    }

    #[action(permission = "HasRole(Role::Moderator, {room_id}) | SiteAdmin")]
    fn lock(&self, #[path] room_id: RoomId, locked: bool) -> Result<NoContent> {
        self.store.set_locked(room_id, locked).map(|()| NoContent)
    }

    #[action(permission = "HasRole(Role::Owner, {room_id}) | SiteAdmin")]
    fn rename(&self, #[path] room_id: RoomId, name: String) -> Result<NoContent> {
        self.store.rename(room_id, &filled("name", name)?).map(|()| NoContent)
    }

    /// All messages as one text. It may take long, so it runs in the blocking pool.
    #[action(blocking, permission = "HasRole(Role::Owner, {room_id})")]
    fn export(&self, #[path] room_id: RoomId) -> Result<String> {
        let mut text = String::new();
        for message in self.store.transcript(room_id)? {
            writeln!(text, "{}: {}", message.author, message.text).map_err(Error::internal)?;
        }
        Ok(text)
    }

    #[route("messages/{message_id}/")]
    fn messages(&self) -> &Messages {
        &self.messages
    }

    #[route("members/{user_id}/")]
    fn members(&self) -> &Members {
        &self.members
    }
}

/// Returns the text if it is not empty. Arguments are validated in the action, after its permissions.
pub(crate) fn filled(field: &'static str, text: String) -> Result<String> {
    if text.trim().is_empty() {
        return Err(Error::new(StatusCode::BAD_REQUEST, "empty", "It must not be empty.").with_field(field));
    }
    Ok(text)
}
