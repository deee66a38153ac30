//! Users and their login sessions.

use portcullis::Result;
use rusqlite::{Row, params};
use serde::Serialize;

use super::super::model::{Account, Role, RoomId, UserId};
use super::Store;

/// A user with their membership in every room.
#[derive(Serialize)]
pub(crate) struct Player {
    #[serde(flatten)]
    account: Account,
    places: Vec<Place>,
}

/// A user's membership in a room.
#[derive(Serialize)]
struct Place {
    room: RoomId,
    name: String,
    role: Option<Role>,
    banned: bool,
}

impl Store {
    /// Logs in as this user and returns the token, 256 random bits. There are no passwords in this demo.
    pub(crate) fn log_in(&self, user: UserId) -> Result<Option<String>> {
        self.one(
            "INSERT INTO sessions (token, user) SELECT lower(hex(randomblob(32))), id FROM users WHERE id = ?1
             RETURNING token",
            params![user],
            |row| row.get(0),
        )
    }

    /// The user of the login session with this token.
    pub(crate) fn session(&self, token: &str) -> Result<Option<Account>> {
        self.one(
            "SELECT id, name, admin FROM users JOIN sessions ON user = id WHERE token = ?1",
            params![token],
            account,
        )
    }

    /// All users, for the page's column heads. A real application would not reveal them.
    pub(crate) fn players(&self) -> Result<Vec<Player>> {
        let accounts = self.all("SELECT id, name, admin FROM users ORDER BY id", [], account)?;
        accounts.into_iter().map(|account| self.player(account)).collect()
    }

    /// A user with all memberships.
    pub(crate) fn player(&self, account: Account) -> Result<Player> {
        Ok(Player { places: self.places(account.id)?, account })
    }

    fn places(&self, user: UserId) -> Result<Vec<Place>> {
        self.all(
            "SELECT id, name, role, EXISTS (SELECT 1 FROM bans WHERE bans.room = id AND bans.user = ?1)
             FROM rooms LEFT JOIN roles ON roles.room = id AND roles.user = ?1 ORDER BY id",
            params![user],
            |row| Ok(Place { room: row.get(0)?, name: row.get(1)?, role: row.get(2)?, banned: row.get(3)? }),
        )
    }
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account { id: row.get(0)?, name: row.get(1)?, admin: row.get(2)? })
}
