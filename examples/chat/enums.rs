//! Enums that are stored and sent as strings: kinds of rooms, roles, single permissions.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

/// Declares an enum whose values have the same spelling in the database and in messages.
macro_rules! string_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub(crate) enum $name {
            $($(#[$of])* #[serde(rename = $word)] $variant),+
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(match self { $($name::$variant => $word),+ }))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match value.as_str()? {
                    $($word => Ok($name::$variant),)+
                    _ => Err(FromSqlError::InvalidType),
                }
            }
        }
    };
}

string_enum! {
    /// The kind of a room.
    Kind {
        /// A conversation of two users, who are both its creators.
        Private = "private",
        /// Members may post.
        Group = "group",
        /// Members may read; posting needs a single permission.
        Channel = "channel",
    }
}

impl Kind {
    /// The maximum number of members.
    pub(crate) fn capacity(self) -> usize {
        match self {
            Kind::Private => 2,
            Kind::Group => 100,
            Kind::Channel => 300,
        }
    }
}

string_enum! {
    /// A user's role in a room. Each role includes the rights of the one before it.
    Role {
        /// An ordinary member.
        Member = "member",
        /// An admin of a group, or a moderator of a channel.
        Admin = "admin",
        /// The creator. In a private conversation, both users.
        Creator = "creator",
    }
}

string_enum! {
    /// A permission that can be granted to a single member. The strings are columns of the database.
    Single {
        /// Posts in a channel.
        Post = "post",
        /// Adds members.
        Add = "add_members",
        /// Removes members.
        Remove = "remove_members",
    }
}

string_enum! {
    /// The subject of an overwrite.
    Subject {
        /// Every member.
        Everyone = "everyone",
        /// Members with a role on the site.
        Role = "role",
        /// One member, by id.
        Member = "member",
    }
}
