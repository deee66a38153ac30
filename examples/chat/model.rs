//! The types of the database.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use portcullis::{GrantKey, ObjectKey, User};
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

pub(crate) use super::enums::{Kind, Role, Single, Subject};

/// Declares an id type per table, which can be parsed from a route and stored in the database.
macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub(crate) struct $name(pub(crate) i64);

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map($name)
            }
        }
    )+};
}

id! {
    /// The id of a room.
    RoomId,
    /// The id of a message.
    MessageId,
    /// The id of a user.
    UserId,
}

/// Rooms have overwrites: `uploads.read(room)`.
impl GrantKey for RoomId {
    fn grant_key(&self) -> ObjectKey {
        ObjectKey::new("room", self.0)
    }
}

/// The user of a connection. Rights that can be revoked are not stored here but read for every message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    pub(crate) name: String,
}

impl User for Account {
    fn id(&self) -> Cow<'_, str> {
        self.id.to_string().into()
    }
}

/// A room.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// Whether only admins may post.
    pub(crate) locked: bool,
    /// Whether every user may join.
    pub(crate) public: bool,
    /// Whether the room is read-only.
    pub(crate) archived: bool,
}

/// A user's membership in a room.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Place {
    pub(crate) room: RoomId,
    pub(crate) user: UserId,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The single permissions of the member.
    pub(crate) may: Vec<Single>,
    /// Whether the member's account is not deactivated.
    pub(crate) active: bool,
    /// The last message that the member has acknowledged, or 0 if the member has acknowledged none.
    pub(crate) seen: MessageId,
}

/// A message, as the members of its room see it.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Message {
    pub(crate) id: MessageId,
    pub(crate) room: RoomId,
    pub(crate) author: UserId,
    pub(crate) name: String,
    pub(crate) text: String,
    /// The message that this one replies to; always one of the same room.
    pub(crate) reply_to: Option<MessageId>,
    pub(crate) forwarded: bool,
    pub(crate) edited: bool,
    pub(crate) deleted: bool,
    /// When the message was sent, in UTC: `2026-01-31T12:00:00Z`.
    pub(crate) at: String,
    pub(crate) reactions: Vec<Reaction>,
}

/// A reaction to a message, and who reacted so.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Reaction {
    pub(crate) emoji: String,
    pub(crate) users: Vec<UserId>,
}

/// A part of a room's messages, the oldest first. Page 1 has the newest messages.
#[derive(Debug, Serialize)]
pub(crate) struct MessagePage {
    pub(crate) page: u32,
    /// The number of pages.
    pub(crate) pages: u32,
    pub(crate) messages: Vec<Message>,
}

/// A message has the overwrites of its room.
impl GrantKey for Message {
    fn grant_key(&self) -> ObjectKey {
        self.room.grant_key()
    }
}

/// A file that was uploaded to a room.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Upload {
    pub(crate) id: i64,
    pub(crate) room: RoomId,
    pub(crate) user: UserId,
    pub(crate) file: String,
}
