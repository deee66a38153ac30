//! One message of a room: `rooms/{room_id}/messages/{message_id}/`.

use portcullis::{Error, NoContent, Result, handler};

use super::model::{Account, Message, MessageId, Role, RoomId, Text};
use super::permissions::{Author, HasRole, HasStore, Locked, SiteAdmin};
use super::store::Store;

/// The handler of messages; the route names the room and the message.
pub(crate) struct Messages {
    store: Store,
}

impl Messages {
    /// Creates the handler over this database.
    pub(crate) fn new(store: Store) -> Messages {
        Messages { store }
    }
}

impl HasStore for Messages {
    fn store(&self) -> &Store {
        &self.store
    }
}

/// `inherited` relies on the room's permission: without a permission on a level above, the mount does not compile.
#[handler(user = Account, permission = inherited)]
impl Messages {
    #[action]
    fn show(&self, #[path] room_id: RoomId, #[path] message_id: MessageId) -> Result<Message> {
        self.store.message(room_id, message_id)?.ok_or_else(Error::not_found)
    }

    #[action(permission = "Author({room_id}, {message_id}) & !Locked({room_id})", validate)]
    fn edit(&self, #[path] room_id: RoomId, #[path] message_id: MessageId, text: Text) -> Result<NoContent> {
        self.store.edit(room_id, message_id, &text.0).map(|()| NoContent)
    }

    #[action(permission = "Author({room_id}, {message_id}) | HasRole(Role::Moderator, {room_id}) | SiteAdmin")]
    fn delete(&self, #[path] room_id: RoomId, #[path] message_id: MessageId) -> Result<NoContent> {
        self.store.delete(room_id, message_id).map(|()| NoContent)
    }
}
