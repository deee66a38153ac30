//! Messages. They are always looked up together with their room: a message of another room does not exist here.

use portcullis::Result;
use rusqlite::{Row, params};

use super::super::model::{Message, MessageId, RoomId, UserId};
use super::rooms::existing;
use super::{PAGE, Store};

const SELECT: &str = "SELECT messages.id, name, text FROM messages JOIN users ON users.id = author";

impl Store {
    /// A page of a room's messages, the newest first.
    pub(crate) fn messages(&self, room: RoomId, page: u32) -> Result<Vec<Message>> {
        let skipped = i64::from(page - 1) * i64::from(PAGE);
        let sql = format!("{SELECT} WHERE room = ?1 ORDER BY messages.id DESC LIMIT ?2 OFFSET ?3");
        self.all(&sql, params![room, PAGE, skipped], message)
    }

    /// All messages of a room. The one slow query of the demo.
    pub(crate) fn transcript(&self, room: RoomId) -> Result<Vec<Message>> {
        self.all(&format!("{SELECT} WHERE room = ?1 ORDER BY messages.id"), params![room], message)
    }

    /// A message of a room.
    pub(crate) fn message(&self, room: RoomId, id: MessageId) -> Result<Option<Message>> {
        self.one(&format!("{SELECT} WHERE room = ?1 AND messages.id = ?2"), params![room, id], message)
    }

    /// The author of a message of a room.
    pub(crate) fn author(&self, room: RoomId, id: MessageId) -> Result<Option<UserId>> {
        self.one("SELECT author FROM messages WHERE room = ?1 AND id = ?2", params![room, id], |row| row.get(0))
    }

    /// Adds a message and returns its id.
    pub(crate) fn post(&self, room: RoomId, author: UserId, text: &str) -> Result<MessageId> {
        let sql = "INSERT INTO messages (room, author, text) VALUES (?1, ?2, ?3)";
        self.insert(sql, params![room, author, text]).map(MessageId)
    }

    /// Changes the text of a message. 404 if it does not exist.
    pub(crate) fn edit(&self, room: RoomId, id: MessageId, text: &str) -> Result<()> {
        let sql = "UPDATE messages SET text = ?3 WHERE room = ?1 AND id = ?2";
        existing(self.execute(sql, params![room, id, text])?)
    }

    /// Deletes a message. 404 if it does not exist.
    pub(crate) fn delete(&self, room: RoomId, id: MessageId) -> Result<()> {
        existing(self.execute("DELETE FROM messages WHERE room = ?1 AND id = ?2", params![room, id])?)
    }
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message { id: row.get(0)?, author: row.get(1)?, text: row.get(2)? })
}
