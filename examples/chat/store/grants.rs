//! Grants from the role tables, and overwrites of rooms.

use portcullis::{GrantSet, GrantSource, ObjectId, ObjectKey, Overwrites, Result, UserGrants};
use rusqlite::params;

use super::super::model::{Account, RoomId, Subject};
use super::Store;

/// One row of the table of overwrites.
struct Overwrite {
    subject: Subject,
    name: String,
    codename: String,
    allowed: bool,
}

impl Store {
    /// Sets a room's overwrite of a codename; `None` removes it.
    pub(crate) fn overwrite(
        &self,
        room: RoomId,
        (subject, name): (Subject, &str),
        codename: &str,
        allowed: Option<bool>,
    ) -> Result<()> {
        let sql = match allowed {
            Some(_) => {
                "INSERT OR REPLACE INTO overwrites (room, subject, name, codename, allowed) VALUES (?1, ?2, ?3, ?4, ?5)"
            }
            None => {
                "DELETE FROM overwrites WHERE room = ?1 AND subject = ?2 AND name = ?3 AND codename = ?4 AND ?5 IS NULL"
            }
        };
        self.execute(sql, params![room, subject, name, codename, allowed]).map(drop)
    }

    /// Returns whether a role of the site exists.
    pub(crate) fn role_exists(&self, role: &str) -> Result<bool> {
        let sql =
            "SELECT EXISTS (SELECT 1 FROM roles WHERE role = ?1) OR EXISTS (SELECT 1 FROM role_grants WHERE role = ?1)";
        Ok(self.one(sql, params![role], |row| row.get(0))?.unwrap_or(false))
    }

    fn overwrites_of(&self, room: i64) -> Result<Overwrites> {
        let sql = "SELECT subject, name, codename, allowed FROM overwrites WHERE room = ?1";
        let all = self.all(sql, params![room], |row| {
            Ok(Overwrite { subject: row.get(0)?, name: row.get(1)?, codename: row.get(2)?, allowed: row.get(3)? })
        })?;
        Ok(all.into_iter().fold(Overwrites::new(), add))
    }
}

fn add(to: Overwrites, Overwrite { subject, name, codename, allowed }: Overwrite) -> Overwrites {
    let codename = GrantSet::from_names([codename]);
    match (subject, allowed) {
        (Subject::Everyone, false) => to.deny_everyone(codename),
        (Subject::Everyone, true) => to.allow_everyone(codename),
        (Subject::Role, false) => to.deny_role(name, codename),
        (Subject::Role, true) => to.allow_role(name, codename),
        (Subject::Member, false) => to.deny_member(name, codename),
        (Subject::Member, true) => to.allow_member(name, codename),
    }
}

impl GrantSource<Account> for Store {
    async fn load(&self, user: &Account) -> Result<UserGrants> {
        let roles = self.all("SELECT role FROM roles WHERE user = ?1", params![user.id], |row| row.get(0))?;
        if roles.iter().any(|role: &String| role == "administrator") {
            return Ok(UserGrants { grants: GrantSet::all(), roles });
        }
        let sql = "SELECT codename FROM role_grants JOIN roles USING (role) WHERE user = ?1";
        let names = self.all(sql, params![user.id], |row| row.get::<_, String>(0))?;
        Ok(UserGrants { grants: GrantSet::from_names(names), roles })
    }

    async fn overwrites(&self, objects: &[ObjectKey]) -> Result<Vec<Overwrites>> {
        let of = |key: &ObjectKey| match key.id() {
            ObjectId::Number(room) if key.kind() == "room" => self.overwrites_of(i64::try_from(*room).unwrap_or(-1)),
            _ => Ok(Overwrites::new()),
        };
        objects.iter().map(of).collect()
    }
}
