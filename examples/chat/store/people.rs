//! Users and their login sessions.

use portcullis::Result;
use rusqlite::{Row, params};

use super::super::model::{Account, UserId};
use super::Store;
use super::members::delete_deserted_rooms;

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
        self.one("SELECT id, name FROM users JOIN sessions ON user = id WHERE token = ?1", params![token], account)
    }

    /// The user with this id, unless the account is deactivated.
    pub(crate) fn account(&self, user: UserId) -> Result<Option<Account>> {
        self.one("SELECT id, name FROM users WHERE id = ?1 AND active", params![user], account)
    }

    /// All users, for the page's columns. A real application would not reveal them.
    pub(crate) fn people(&self) -> Result<Vec<Account>> {
        self.all("SELECT id, name FROM users ORDER BY id", [], account)
    }

    /// Returns whether the account is not deactivated.
    pub(crate) fn active(&self, user: UserId) -> Result<bool> {
        let active = self.one("SELECT active FROM users WHERE id = ?1", params![user], |row| row.get(0))?;
        Ok(active.unwrap_or(false))
    }

    /// Returns whether the account exists, deactivated or not.
    pub(crate) fn user_exists(&self, user: UserId) -> Result<bool> {
        Ok(self.one("SELECT 1 FROM users WHERE id = ?1", params![user], |row| row.get::<_, i64>(0))?.is_some())
    }

    /// Deactivates an account, and deletes the rooms in which no member is left. Returns `false` if it does not exist.
    pub(crate) fn deactivate(&self, user: UserId) -> Result<bool> {
        self.together(|connection| {
            let sql = "UPDATE users SET active = 0 WHERE id = ?1";
            let exists = connection.prepare_cached(sql)?.execute(params![user])? > 0;
            delete_deserted_rooms(connection)?;
            Ok(Ok(exists))
        })
    }
}

fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account { id: row.get(0)?, name: row.get(1)? })
}
