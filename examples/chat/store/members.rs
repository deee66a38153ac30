//! Memberships of rooms.

use portcullis::{Error, Result};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::super::model::{Place, Role, RoomId, Single, UserId};
use super::Store;
use super::rooms::find;

const SELECT: &str = "SELECT room, user, name, role, post, add_members, remove_members, active, seen
                      FROM members JOIN users ON users.id = user WHERE true";

impl Store {
    /// A user's membership in a room.
    pub(crate) fn place(&self, room: RoomId, user: UserId) -> Result<Option<Place>> {
        self.with(|connection| place(connection, room, user))
    }

    /// All members of a room, those with a deactivated account included.
    pub(crate) fn members(&self, room: RoomId) -> Result<Vec<Place>> {
        self.all(&format!("{SELECT} AND room = ?1 ORDER BY user"), params![room], read)
    }

    /// Adds users to a room, all or none, and returns the new memberships.
    ///
    /// 404 if a user does not exist, 409 if the room would be too full.
    pub(crate) fn add(&self, room: RoomId, users: &[UserId]) -> Result<Vec<Place>> {
        self.together(|connection| {
            let Some(found) = find(connection, room)? else { return Ok(Err(Error::not_found())) };
            let mut added = Vec::new();
            for &user in users {
                if !exists(connection, user)? {
                    return Ok(Err(Error::not_found()));
                }
                let sql = "INSERT OR IGNORE INTO members (room, user) VALUES (?1, ?2)";
                if connection.prepare_cached(sql)?.execute(params![room, user])? > 0 {
                    added.extend(place(connection, room, user)?);
                }
            }
            let count = "SELECT count(*) FROM members JOIN users ON users.id = user WHERE room = ?1 AND active";
            let count: i64 = connection.prepare_cached(count)?.query_row(params![room], |row| row.get(0))?;
            if usize::try_from(count).is_ok_and(|count| count <= found.kind.capacity()) {
                Ok(Ok(added))
            } else {
                Ok(Err(Error::conflict("So many do not fit in.")))
            }
        })
    }

    /// Removes users from a room, and deletes it with its last active member. Returns whether the room still exists.
    pub(crate) fn remove(&self, room: RoomId, users: &[UserId]) -> Result<bool> {
        self.together(|connection| {
            for user in users {
                let sql = "DELETE FROM members WHERE room = ?1 AND user = ?2";
                connection.prepare_cached(sql)?.execute(params![room, user])?;
            }
            delete_deserted_rooms(connection)?;
            Ok(Ok(find(connection, room)?.is_some()))
        })
    }

    /// Sets a member's role.
    pub(crate) fn set_role(&self, room: RoomId, user: UserId, role: Role) -> Result<Place> {
        let sql = "UPDATE members SET role = ?3 WHERE room = ?1 AND user = ?2";
        self.execute(sql, params![room, user, role])?;
        self.place(room, user)?.ok_or_else(Error::not_found)
    }

    /// Grants or revokes a single permission of a member.
    pub(crate) fn set_single(&self, room: RoomId, user: UserId, single: Single, held: bool) -> Result<Place> {
        let sql = match single {
            Single::Post => "UPDATE members SET post = ?3 WHERE room = ?1 AND user = ?2",
            Single::Add => "UPDATE members SET add_members = ?3 WHERE room = ?1 AND user = ?2",
            Single::Remove => "UPDATE members SET remove_members = ?3 WHERE room = ?1 AND user = ?2",
        };
        self.execute(sql, params![room, user, held])?;
        self.place(room, user)?.ok_or_else(Error::not_found)
    }
}

/// Deletes the rooms without a member whose account is active.
pub(super) fn delete_deserted_rooms(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "DELETE FROM rooms WHERE NOT EXISTS
               (SELECT 1 FROM members JOIN users ON users.id = user WHERE room = rooms.id AND active)";
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

/// Returns whether the user exists and is not deactivated.
pub(super) fn exists(connection: &Connection, user: UserId) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM users WHERE id = ?1 AND active")?.exists(params![user])
}

/// A user's membership in a room, if there is one.
pub(super) fn place(connection: &Connection, room: RoomId, user: UserId) -> rusqlite::Result<Option<Place>> {
    let sql = format!("{SELECT} AND room = ?1 AND user = ?2");
    connection.prepare_cached(&sql)?.query_row(params![room, user], read).optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Place> {
    let mut may = Vec::new();
    for (single, column) in [(Single::Post, 4), (Single::Add, 5), (Single::Remove, 6)] {
        if row.get(column)? {
            may.push(single);
        }
    }
    Ok(Place {
        room: row.get(0)?,
        user: row.get(1)?,
        name: row.get(2)?,
        role: row.get(3)?,
        may,
        active: row.get(7)?,
        seen: row.get(8)?,
    })
}
