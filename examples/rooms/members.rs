//! One user's membership in a room: `rooms/{room_id}/members/{user_id}/`.

use portcullis::{Error, NoContent, Result, handler};

use super::model::{Account, Member, Role, RoomId, UserId};
use super::permissions::{HasRole, HasStore, Outranks, SiteAdmin, Themselves};
use super::store::Store;

/// The handler of memberships; the route names the room and the user.
pub(crate) struct Members {
    store: Store,
}

impl Members {
    /// Creates the handler over this database.
    pub(crate) fn new(store: Store) -> Members {
        Members { store }
    }
}

impl HasStore for Members {
    fn store(&self) -> &Store {
        &self.store
    }
}

#[handler(user = Account, permission = inherited)]
impl Members {
    #[action]
    fn show(&self, #[path] room_id: RoomId, #[path] user_id: UserId) -> Result<Member> {
        self.store.member(room_id, user_id)
    }

    /// `!Themselves`: no user promotes themselves, and no owner steps down by mistake.
    #[action(permission = "(HasRole(Role::Owner, {room_id}) | SiteAdmin) & !Themselves({user_id})")]
    fn set_role(&self, #[path] room_id: RoomId, #[path] user_id: UserId, role: Role) -> Result<Member> {
        self.store.member(room_id, user_id)?;
        self.store.set_role(room_id, user_id, role)?;
        self.store.member(room_id, user_id)
    }

    #[action(permission = "HasRole(Role::Moderator, {room_id}) & Outranks({room_id}, {user_id}) | SiteAdmin")]
    fn ban(&self, #[path] room_id: RoomId, #[path] user_id: UserId) -> Result<Member> {
        self.store.member(room_id, user_id)?;
        if !self.store.ban(room_id, user_id)? {
            return Err(Error::conflict("They are banned already."));
        }
        self.store.member(room_id, user_id)
    }

    #[action(permission = "HasRole(Role::Moderator, {room_id}) | SiteAdmin")]
    fn unban(&self, #[path] room_id: RoomId, #[path] user_id: UserId) -> Result<Member> {
        self.store.unban(room_id, user_id)?;
        self.store.member(room_id, user_id)
    }

    /// A member leaves on their own; an owner passes the room on first.
    #[action(permission = "Themselves({user_id}) & !HasRole(Role::Owner, {room_id})")]
    fn leave(&self, #[path] room_id: RoomId, #[path] user_id: UserId) -> Result<NoContent> {
        self.store.remove(room_id, user_id).map(|()| NoContent)
    }
}
