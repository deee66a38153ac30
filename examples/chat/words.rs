//! The few words that the database and the wire both know: kinds of rooms, roles, single permissions.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

/// An enum whose values are spelled the same in the database and on the wire.
macro_rules! words {
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

words! {
    /// What kind of room.
    Kind {
        /// Two people; it belongs to both of them.
        Private = "private",
        /// Whoever is in it may write.
        Group = "group",
        /// Whoever is in it may read.
        Channel = "channel",
    }
}

impl Kind {
    /// How many members a room may have. The server's word, whatever a client says.
    pub(crate) fn capacity(self) -> usize {
        match self {
            Kind::Private => 2,
            Kind::Group => 100,
            Kind::Channel => 300,
        }
    }
}

words! {
    /// What somebody is in a room. Each role may what the one before it may, and more.
    Role {
        /// Is in it.
        Member = "member",
        /// Looks after it: a group's admin, a channel's moderator.
        Admin = "admin",
        /// Made it. In a private conversation both did.
        Creator = "creator",
    }
}

words! {
    /// What a plain member may be granted by itself. The words are columns of the database.
    Single {
        /// Writes into a channel.
        Post = "post",
        /// Adds members.
        Add = "add_members",
        /// Removes members.
        Remove = "remove_members",
    }
}

words! {
    /// Whom an overwrite is about.
    Subject {
        /// Every member.
        Everyone = "everyone",
        /// Those with a role on the site.
        Role = "role",
        /// One member, by id.
        Member = "member",
    }
}
