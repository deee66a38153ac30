//! Rooms, and the roles of users in them.

use portcullis::{Error, Result};
use rusqlite::{Row, params};

use super::super::model::{Member, Role, Room, RoomId, UserId};
use super::{PAGE, Store};

impl Store {
    /// A page of rooms. The first page is 1.
    pub(crate) fn rooms(&self, page: u32) -> Result<Vec<Room>> {
        let skipped = i64::from(page - 1) * i64::from(PAGE);
        self.all("SELECT id, name, locked FROM rooms ORDER BY id LIMIT ?1 OFFSET ?2", params![PAGE, skipped], room)
    }

    /// A room.
    pub(crate) fn room(&self, id: RoomId) -> Result<Option<Room>> {
        self.one("SELECT id, name, locked FROM rooms WHERE id = ?1", params![id], room)
    }

    /// Creates a room that this user owns.
    pub(crate) fn create_room(&self, owner: UserId, name: String) -> Result<Room> {
        let id = RoomId(self.insert("INSERT INTO rooms (name) VALUES (?1)", params![name])?);
        self.set_role(id, owner, Role::Owner)?;
        Ok(Room { id, name, locked: false })
    }

    /// Renames a room. 404 if it does not exist.
    pub(crate) fn rename(&self, id: RoomId, name: &str) -> Result<()> {
        existing(self.execute("UPDATE rooms SET name = ?2 WHERE id = ?1", params![id, name])?)
    }

    /// Locks or unlocks a room. 404 if it does not exist.
    pub(crate) fn set_locked(&self, id: RoomId, locked: bool) -> Result<()> {
        existing(self.execute("UPDATE rooms SET locked = ?2 WHERE id = ?1", params![id, locked])?)
    }

    /// A user's role in a room.
    pub(crate) fn role(&self, room: RoomId, user: UserId) -> Result<Option<Role>> {
        self.one("SELECT role FROM roles WHERE room = ?1 AND user = ?2", params![room, user], |row| row.get(0))
    }

    /// Returns whether a user is banned from a room.
    pub(crate) fn banned(&self, room: RoomId, user: UserId) -> Result<bool> {
        let found = self.one("SELECT 1 FROM bans WHERE room = ?1 AND user = ?2", params![room, user], |_| Ok(()))?;
        Ok(found.is_some())
    }

    /// A user's membership in a room. 404 if the room or the user does not exist.
    pub(crate) fn member(&self, room: RoomId, user: UserId) -> Result<Member> {
        let known =
            self.one("SELECT 1 FROM rooms, users WHERE rooms.id = ?1 AND users.id = ?2", params![room, user], |_| {
                Ok(())
            })?;
        known.ok_or_else(Error::not_found)?;
        Ok(Member { room, user, role: self.role(room, user)?, banned: self.banned(room, user)? })
    }

    /// Sets a user's role, and makes the user a member if necessary.
    pub(crate) fn set_role(&self, room: RoomId, user: UserId, role: Role) -> Result<()> {
        self.execute("INSERT OR REPLACE INTO roles (room, user, role) VALUES (?1, ?2, ?3)", params![room, user, role])?;
        Ok(())
    }

    /// Removes a user from a room. 404 if the user has no role in it.
    pub(crate) fn remove(&self, room: RoomId, user: UserId) -> Result<()> {
        existing(self.execute("DELETE FROM roles WHERE room = ?1 AND user = ?2", params![room, user])?)
    }

    /// Bans a user. Returns `false` if the user was banned already.
    pub(crate) fn ban(&self, room: RoomId, user: UserId) -> Result<bool> {
        Ok(self.execute("INSERT OR IGNORE INTO bans (room, user) VALUES (?1, ?2)", params![room, user])? > 0)
    }

    /// Lifts a ban. 404 if the user is not banned.
    pub(crate) fn unban(&self, room: RoomId, user: UserId) -> Result<()> {
        existing(self.execute("DELETE FROM bans WHERE room = ?1 AND user = ?2", params![room, user])?)
    }
}

fn room(row: &Row<'_>) -> rusqlite::Result<Room> {
    Ok(Room { id: row.get(0)?, name: row.get(1)?, locked: row.get(2)? })
}

/// Returns 404 if a statement changed no row.
pub(super) fn existing(changed: usize) -> Result<()> {
    if changed > 0 { Ok(()) } else { Err(Error::not_found()) }
}
