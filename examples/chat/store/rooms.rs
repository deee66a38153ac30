//! Rooms, and how somebody stands to one.

use portcullis::{Error, Result};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::model::{Kind, Role, Room, RoomId, UserId};
use super::super::policy::Standing;
use super::Store;
use super::members::{exists, place};

const SELECT: &str = "SELECT id, kind, name, locked, public, archived FROM rooms";

impl Store {
    /// How this person stands to a room. `None` where there is no such room, and for whoever was shut out.
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

    /// A room. 404 where there is none.
    pub(crate) fn room(&self, id: RoomId) -> Result<Room> {
        self.with(|connection| find(connection, id))?.ok_or_else(Error::not_found)
    }

    /// The rooms that somebody is in.
    pub(crate) fn rooms_of(&self, user: UserId) -> Result<Vec<Room>> {
        let sql = format!("{SELECT} JOIN members ON room = id WHERE user = ?1 ORDER BY id");
        self.all(&sql, params![user], room)
    }

    /// Makes a group or a channel; who makes it is its creator, and in it from the start.
    pub(crate) fn create(&self, creator: UserId, kind: Kind, name: &str, public: bool) -> Result<Room> {
        let id = self.with(|connection| make(connection, kind, name, public, &[creator]))?;
        self.room(id)
    }

    /// The private conversation of two people, made where there is none yet. 404 where there is no such person.
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

    /// Gives a room another name.
    pub(crate) fn rename(&self, id: RoomId, name: &str) -> Result<Room> {
        self.execute("UPDATE rooms SET name = ?2 WHERE id = ?1", params![id, name])?;
        self.room(id)
    }

    /// Locks a room, or opens it.
    pub(crate) fn set_locked(&self, id: RoomId, locked: bool) -> Result<Room> {
        self.execute("UPDATE rooms SET locked = ?2 WHERE id = ?1", params![id, locked])?;
        self.room(id)
    }

    /// Archives a room, or takes it out again.
    pub(crate) fn set_archived(&self, id: RoomId, archived: bool) -> Result<Room> {
        self.execute("UPDATE rooms SET archived = ?2 WHERE id = ?1", params![id, archived])?;
        self.room(id)
    }

    /// Ends a room, with all that is in it.
    pub(crate) fn delete_room(&self, id: RoomId) -> Result<()> {
        self.execute("DELETE FROM rooms WHERE id = ?1", params![id]).map(drop)
    }
}

/// Makes a room that belongs to these people.
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

/// A room, if there is one.
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
