//! Rooms, and the standing of users in them.

use portcullis::{Error, Result};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::model::{Kind, Role, Room, RoomId, UserId};
use super::super::policy::Standing;
use super::Store;
use super::members::{exists, place};

const SELECT: &str = "SELECT id, kind, name, locked, public, archived FROM rooms";

impl Store {
    /// A user's standing in a room. `None` if the room does not exist or the account is deactivated.
    pub(crate) fn standing(&self, room: RoomId, user: UserId) -> Result<Option<Standing>> {
        self.with(|connection| {
            if !exists(connection, user)? {
                return Ok(None);
            }
            let Some(room) = find(connection, room)? else { return Ok(None) };
            let staff = "SELECT EXISTS (SELECT 1 FROM roles WHERE user = ?1 AND role = 'staff')";
            let staff = connection.prepare_cached(staff)?.query_row(params![user], |row| row.get(0))?;
            let place = place(connection, room.id, user)?;
            Ok(Some(Standing { user, staff, room, place }))
        })
    }

    /// A room. 404 if it does not exist.
    pub(crate) fn room(&self, id: RoomId) -> Result<Room> {
        self.with(|connection| find(connection, id))?.ok_or_else(Error::not_found)
    }

    /// The rooms that a user is in.
    pub(crate) fn rooms_of(&self, user: UserId) -> Result<Vec<Room>> {
        let sql = format!("{SELECT} JOIN members ON room = id WHERE user = ?1 ORDER BY id");
        self.all(&sql, params![user], room)
    }

    /// Creates a group or a channel, with its creator as the first member.
    pub(crate) fn create(&self, creator: UserId, kind: Kind, name: &str, public: bool) -> Result<Room> {
        let id = self.with(|connection| make(connection, kind, name, public, &[creator]))?;
        self.room(id)
    }

    /// The private conversation of two users, created if it does not exist. 404 if the other user does not exist.
    pub(crate) fn open_private(&self, one: UserId, other: UserId) -> Result<Room> {
        let id = self.together(|connection| {
            if !exists(connection, other)? {
                return Ok(Err(Error::not_found()));
            }
            let sql = "SELECT id FROM rooms WHERE kind = 'private'
                       AND id IN (SELECT room FROM members WHERE user = ?1)
                       AND id IN (SELECT room FROM members WHERE user = ?2)";
            match connection.prepare_cached(sql)?.query_row(params![one, other], |row| row.get(0)).optional()? {
                Some(id) => Ok(Ok(id)),
                None => make(connection, Kind::Private, "", false, &[one, other]).map(Ok),
            }
        })?;
        self.room(id)
    }

    /// Renames a room.
    pub(crate) fn rename(&self, id: RoomId, name: &str) -> Result<Room> {
        self.execute("UPDATE rooms SET name = ?2 WHERE id = ?1", params![id, name])?;
        self.room(id)
    }

    /// Locks or unlocks a room.
    pub(crate) fn set_locked(&self, id: RoomId, locked: bool) -> Result<Room> {
        self.execute("UPDATE rooms SET locked = ?2 WHERE id = ?1", params![id, locked])?;
        self.room(id)
    }

    /// Archives a room, or restores it.
    pub(crate) fn set_archived(&self, id: RoomId, archived: bool) -> Result<Room> {
        self.execute("UPDATE rooms SET archived = ?2 WHERE id = ?1", params![id, archived])?;
        self.room(id)
    }

    /// Deletes a room with everything in it.
    pub(crate) fn delete_room(&self, id: RoomId) -> Result<()> {
        self.execute("DELETE FROM rooms WHERE id = ?1", params![id]).map(drop)
    }
}

/// Creates a room with these creators.
fn make(
    connection: &Connection,
    kind: Kind,
    name: &str,
    public: bool,
    creators: &[UserId],
) -> rusqlite::Result<RoomId> {
    let sql = "INSERT INTO rooms (kind, name, public) VALUES (?1, ?2, ?3)";
    let room = RoomId(connection.prepare_cached(sql)?.insert(params![kind, name, public])?);
    let sql = "INSERT INTO members (room, user, role) VALUES (?1, ?2, ?3)";
    for creator in creators {
        connection.prepare_cached(sql)?.execute(params![room, creator, Role::Creator])?;
    }
    Ok(room)
}

/// A room, if it exists.
pub(super) fn find(connection: &Connection, id: RoomId) -> rusqlite::Result<Option<Room>> {
    connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?.query_row(params![id], room).optional()
}

fn room(row: &Row<'_>) -> rusqlite::Result<Room> {
    Ok(Room {
        id: row.get(0)?,
        kind: row.get(1)?,
        name: row.get(2)?,
        locked: row.get(3)?,
        public: row.get(4)?,
        archived: row.get(5)?,
    })
}
