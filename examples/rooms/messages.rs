//! One message of a room: `rooms/{room_id}/messages/{message_id}/`.

use portcullis::{Error, NoContent, Result, handler};

use super::model::{Account, Message, MessageId, Role, RoomId};
use super::permissions::{Author, HasRole, Locked, SiteAdmin, Stored};
use super::rooms::filled;
use super::store::Store;

/// The messages, whichever the route says.
pub(crate) struct Messages {
    store: Store,
}

impl Messages {
    /// Messages over this database.
    pub(crate) fn new(store: Store) -> Messages {
        Messages { store }
    }
}

impl Stored for Messages {
    fn store(&self) -> &Store {
        &self.store
    }
}

/// It leans on its room, and says so: mounted where nothing above asks for a permission, it would not compile.
#[handler(user = Account, permission = inherited)]
impl Messages {
    #[action]
    fn show(&self, #[path] room_id: RoomId, #[path] message_id: MessageId) -> Result<Message> {
        self.store.message(room_id, message_id)?.ok_or_else(Error::not_found)
    }

    #[action(permission = "Author & !Locked")]
    fn edit(&self, #[path] room_id: RoomId, #[path] message_id: MessageId, text: String) -> Result<NoContent> {
        self.store.edit(room_id, message_id, &filled("text", text)?).map(|()| NoContent)
    }

    #[action(permission = "Author | HasRole(Role::Moderator) | SiteAdmin")]
    fn delete(&self, #[path] room_id: RoomId, #[path] message_id: MessageId) -> Result<NoContent> {
        self.store.delete(room_id, message_id).map(|()| NoContent)
    }
}
