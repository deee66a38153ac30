//! The types of the database.

use std::borrow::Cow;
use std::str::FromStr;

use garde::Validate;
use portcullis::User;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

/// Declares an id type per table, which can be parsed from a route and stored in the database.
macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub(crate) struct $name(pub(crate) i64);

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map($name)
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

/// A user's role in a room. Each role includes the rights of the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Reads and posts.
    Member,
    /// Locks the room, deletes messages, bans members.
    Moderator,
    /// Renames the room and sets roles.
    Owner,
}

impl ToSql for Role {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(match self {
            Role::Member => "member",
            Role::Moderator => "moderator",
            Role::Owner => "owner",
        }))
    }
}

impl FromSql for Role {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "member" => Ok(Role::Member),
            "moderator" => Ok(Role::Moderator),
            "owner" => Ok(Role::Owner),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// The user of a connection. Roles are not stored here but read for every message, so that a revoked role has no effect
/// any more.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Account {
    pub(crate) id: UserId,
    pub(crate) name: String,
    /// Whether the user administrates the whole site.
    pub(crate) admin: bool,
}

impl User for Account {
    fn id(&self) -> Cow<'_, str> {
        self.name.as_str().into()
    }
}

/// A room.
#[derive(Debug, Serialize)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) name: String,
    /// Whether only moderators may post.
    pub(crate) locked: bool,
}

/// The text of a message that a client sends.
#[derive(Deserialize, Validate)]
#[garde(transparent)]
pub(crate) struct Text(#[garde(length(chars, max = 2000), custom(not_blank))] pub(crate) String);

fn not_blank<C>(text: &str, _: &C) -> garde::Result {
    if text.trim().is_empty() { Err(garde::Error::new("is blank")) } else { Ok(()) }
}

/// A message in a room.
#[derive(Debug, Serialize)]
pub(crate) struct Message {
    pub(crate) id: MessageId,
    pub(crate) author: String,
    pub(crate) text: String,
}

/// A user's membership in a room.
#[derive(Debug, Serialize)]
pub(crate) struct Member {
    pub(crate) room: RoomId,
    pub(crate) user: UserId,
    pub(crate) role: Option<Role>,
    pub(crate) banned: bool,
}
