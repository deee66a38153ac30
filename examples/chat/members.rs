//! The members of a room: `rooms/{room_id}/members/`, and `members/{user_id}/` for one of them.

use portcullis::{AllowAny, Context, NoContent, Object, Result, handler};

use super::events::{MemberAdded, MemberRemoved, RoleChanged, RoomLeft};
use super::groups::{RoomGroup, inboxes};
use super::model::{Account, Place, Role, RoomId, Single, UserId};
use super::permissions::{Act, Archived, Creator, May, Removable, Shared};
use super::policy::Power;
use super::revoke;
use super::state::{HasState, State};
use super::store::Store;

/// The handler of a room's members; the route names the room.
pub(crate) struct Members {
    state: State,
    one: Membership,
}

impl Members {
    /// Creates the handler with this state.
    pub(crate) fn new(state: State) -> Members {
        Members { one: Membership { state: state.clone() }, state }
    }
}

impl HasState for Members {
    fn state(&self) -> &State {
        &self.state
    }
}

/// Private conversations are refused, because their members are fixed.
#[handler(user = Account, permission = "Shared({room_id}) & !Archived({room_id})")]
impl Members {
    /// All users or none.
    #[action(permission = "May(Act::Manage(Single::Add), {room_id})")]
    async fn add(&self, cx: &Context<'_, Account>, #[path] room_id: RoomId, users: Vec<UserId>) -> Result<Vec<Place>> {
        let (room, inboxes) = (cx.publish_permit(RoomGroup(room_id)).await?, inboxes(cx, &users).await?);
        let added = self.state.store.add(room_id, &users)?;
        for place in &added {
            room.publish(MemberAdded(place.clone()));
            if let Some(inbox) = inboxes.get(&place.user) {
                inbox.publish(MemberAdded(place.clone()));
            }
        }
        Ok(added)
    }

    /// All users or none.
    #[action(permission = "May(Act::Manage(Single::Remove), {room_id}) & Removable(users)")]
    async fn remove(
        &self,
        cx: &Context<'_, Account>,
        #[path] room_id: RoomId,
        users: Vec<Object<Place>>,
    ) -> Result<NoContent> {
        let users: Vec<_> = users.iter().map(|place| place.user).collect();
        let (room, inboxes) = (cx.publish_permit(RoomGroup(room_id)).await?, inboxes(cx, &users).await?);
        self.state.store.remove(room_id, &users)?;
        revoke::people(cx, &users).await?;
        for (user, inbox) in inboxes {
            room.publish(MemberRemoved { room: room_id, user });
            inbox.publish(RoomLeft { room: room_id });
        }
        Ok(NoContent)
    }

    #[route("{user_id:[0-9]+}/")]
    fn one(&self) -> &Membership {
        &self.one
    }
}

/// One member of a room.
pub(crate) struct Membership {
    state: State,
}

impl Membership {
    /// Changes a member, revalidates the member's connections, and publishes the change to the room.
    async fn change(
        &self,
        cx: &Context<'_, Account>,
        member: &Place,
        store: impl FnOnce(&Store) -> Result<Place>,
    ) -> Result<Place> {
        let room = cx.publish_permit(RoomGroup(member.room)).await?;
        let place = store(&self.state.store)?;
        revoke::people(cx, &[place.user]).await?;
        room.publish(RoleChanged(place.clone()));
        Ok(place)
    }
}

impl HasState for Membership {
    fn state(&self) -> &State {
        &self.state
    }
}

#[handler(user = Account, permission = "May(Act::Administer(Power::Change), {room_id})")]
impl Membership {
    #[action(permission = "!Creator(member)")]
    async fn promote(&self, cx: &Context<'_, Account>, #[path("user_id")] member: Object<Place>) -> Result<Place> {
        self.change(cx, &member, |store| store.set_role(member.room, member.user, Role::Admin)).await
    }

    #[action(permission = "!Creator(member)")]
    async fn demote(&self, cx: &Context<'_, Account>, #[path("user_id")] member: Object<Place>) -> Result<Place> {
        self.change(cx, &member, |store| store.set_role(member.room, member.user, Role::Member)).await
    }

    #[action(permission = "AllowAny(member)")]
    async fn grant(
        &self,
        cx: &Context<'_, Account>,
        #[path("user_id")] member: Object<Place>,
        permission: Single,
    ) -> Result<Place> {
        self.change(cx, &member, |store| store.set_single(member.room, member.user, permission, true)).await
    }

    #[action(permission = "AllowAny(member)")]
    async fn revoke(
        &self,
        cx: &Context<'_, Account>,
        #[path("user_id")] member: Object<Place>,
        permission: Single,
    ) -> Result<Place> {
        self.change(cx, &member, |store| store.set_single(member.room, member.user, permission, false)).await
    }
}
