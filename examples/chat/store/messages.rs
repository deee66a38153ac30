//! Messages, reactions and uploads.

use std::time::Duration;

use portcullis::{Error, Result};
use rusqlite::{Row, params};

use super::super::model::{Message, MessageId, MessagePage, Reaction, RoomId, Upload, UserId};
use super::Store;

/// The columns of a message; a deleted message has no text.
const SELECT: &str =
    "SELECT messages.id, room, author, name, iif(deleted, '', text), reply_to, forwarded, edited, deleted,
     strftime('%Y-%m-%dT%H:%M:%SZ', at),
     (SELECT json_group_array(json_array(emoji, user)) FROM reactions WHERE message = messages.id)
     FROM messages JOIN users ON users.id = author";

/// The maximum number of messages per page.
const PAGE: u32 = 50;

/// A message that is to be posted.
pub(crate) struct Draft<'t> {
    pub(crate) room: RoomId,
    pub(crate) author: UserId,
    pub(crate) text: &'t str,
    pub(crate) reply_to: Option<MessageId>,
    pub(crate) forwarded: bool,
}

impl Store {
    /// A page of a room's messages. A page after the last one is empty.
    pub(crate) fn messages(&self, room: RoomId, page: u32) -> Result<MessagePage> {
        let count = "SELECT count(*) FROM messages WHERE room = ?1";
        let count: u32 = self.one(count, params![room], |row| row.get(0))?.unwrap_or(0);
        let sql = format!("{SELECT} WHERE room = ?1 ORDER BY messages.id DESC LIMIT ?2 OFFSET ?3");
        let offset = i64::from(page.saturating_sub(1)) * i64::from(PAGE);
        let mut messages = self.all(&sql, params![room, PAGE, offset], message)?;
        messages.reverse();
        Ok(MessagePage { page, pages: count.div_ceil(PAGE), messages })
    }

    /// A message of any room.
    pub(crate) fn message(&self, id: MessageId) -> Result<Option<Message>> {
        self.one(&format!("{SELECT} WHERE messages.id = ?1"), params![id], message)
    }

    /// Adds a message.
    pub(crate) fn say(&self, draft: &Draft<'_>) -> Result<Message> {
        let sql = "INSERT INTO messages (room, author, text, reply_to, forwarded) VALUES (?1, ?2, ?3, ?4, ?5)";
        let Draft { room, author, text, reply_to, forwarded } = draft;
        let id = self.together(|connection| {
            let id = connection.prepare_cached(sql)?.insert(params![room, author, text, reply_to, forwarded])?;
            let count = "INSERT INTO sent (user, day, count) VALUES (?1, date('now'), 1)
                         ON CONFLICT DO UPDATE SET count = count + 1";
            connection.prepare_cached(count)?.execute(params![author])?;
            Ok(Ok(id))
        })?;
        self.existing(MessageId(id))
    }

    /// Changes the text of a message.
    pub(crate) fn edit(&self, id: MessageId, text: &str) -> Result<Message> {
        let sql = "UPDATE messages SET text = ?2, edited = 1 WHERE id = ?1 AND NOT deleted";
        self.execute(sql, params![id, text])?;
        self.existing(id)
    }

    /// Deletes a message.
    pub(crate) fn delete_message(&self, id: MessageId) -> Result<()> {
        self.execute("UPDATE messages SET text = '', deleted = 1 WHERE id = ?1", params![id]).map(drop)
    }

    /// Sets a user's reaction to a message; one per user.
    pub(crate) fn react(&self, id: MessageId, user: UserId, emoji: &str) -> Result<Message> {
        let sql = "INSERT OR REPLACE INTO reactions (message, user, emoji) VALUES (?1, ?2, ?3)";
        self.execute(sql, params![id, user, emoji])?;
        self.existing(id)
    }

    /// Removes a user's reaction to a message.
    pub(crate) fn unreact(&self, id: MessageId, user: UserId) -> Result<Message> {
        self.execute("DELETE FROM reactions WHERE message = ?1 AND user = ?2", params![id, user])?;
        self.existing(id)
    }

    /// Records how far a member has read. Returns `false` if the member has read so far already, or has left.
    pub(crate) fn acknowledge(&self, room: RoomId, user: UserId, id: MessageId) -> Result<bool> {
        let sql = "UPDATE members SET seen = ?3 WHERE room = ?1 AND user = ?2 AND seen < ?3";
        Ok(self.execute(sql, params![room, user, id])? > 0)
    }

    /// The number of messages that a user has sent since midnight.
    pub(crate) fn count_messages_today(&self, user: UserId) -> Result<u32> {
        let sql = "SELECT coalesce(sum(count), 0) FROM sent WHERE user = ?1 AND day = date('now')";
        Ok(self.one(sql, params![user], |row| row.get(0))?.unwrap_or(u32::MAX))
    }

    /// The time until midnight.
    pub(crate) fn time_until_midnight(&self) -> Result<Duration> {
        let sql = "SELECT unixepoch('now', 'start of day', '+1 day') - unixepoch('now')";
        let seconds: Option<u32> = self.one(sql, [], |row| row.get(0))?;
        Ok(Duration::from_secs(seconds.unwrap_or(1).into()))
    }

    /// Adds a file to a room.
    pub(crate) fn upload(&self, room: RoomId, user: UserId, file: String) -> Result<Upload> {
        let sql = "INSERT INTO uploads (room, user, file) VALUES (?1, ?2, ?3)";
        let id = self.insert(sql, params![room, user, file])?;
        Ok(Upload { id, room, user, file })
    }

    /// The files of a room.
    pub(crate) fn uploads(&self, room: RoomId) -> Result<Vec<Upload>> {
        let sql = "SELECT id, room, user, file FROM uploads WHERE room = ?1 ORDER BY id";
        self.all(sql, params![room], |row| {
            Ok(Upload { id: row.get(0)?, room: row.get(1)?, user: row.get(2)?, file: row.get(3)? })
        })
    }

    fn existing(&self, id: MessageId) -> Result<Message> {
        self.message(id)?.ok_or_else(Error::not_found)
    }
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let rows: Vec<(String, UserId)> = serde_json::from_str(&row.get::<_, String>(10)?).unwrap_or_default();
    let mut reactions: Vec<Reaction> = Vec::new();
    for (emoji, user) in rows {
        match reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
            Some(reaction) => reaction.users.push(user),
            None => reactions.push(Reaction { emoji, users: vec![user] }),
        }
    }
    Ok(Message {
        id: row.get(0)?,
        room: row.get(1)?,
        author: row.get(2)?,
        name: row.get(3)?,
        text: row.get(4)?,
        reply_to: row.get(5)?,
        forwarded: row.get(6)?,
        edited: row.get(7)?,
        deleted: row.get(8)?,
        at: row.get(9)?,
        reactions,
    })
}
