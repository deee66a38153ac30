//! The permissions of messages and objects. They read the database each time, so a revoked right has no effect any more
//! at once.

use portcullis::{Error, ObjectPermission, Permission, PermissionContext, Result};

use super::model::{Account, Kind, Message, Place, Role, RoomId, Single};
use super::objects::Elsewhere;
use super::policy::Standing;
use super::state::{HasState, State};

/// The decisions of a policy.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// Post.
    Send,
    /// Read, and do what every member may do.
    Read,
    /// Use `chat.can_moderate_chat`.
    Moderate,
    /// Add or remove members.
    Manage(Single),
    /// Change the room and the roles of its members.
    Administer,
}

impl State {
    /// Returns the policy's decision. A room that does not exist refuses like one that the caller is not in.
    pub(crate) fn may(&self, act: Act, who: Option<&Standing>) -> Result<bool> {
        let Some(who) = who else { return Ok(false) };
        match act {
            Act::Send => self.policy.may_send(who),
            Act::Read => self.policy.may_read(who),
            Act::Moderate => self.policy.may_moderate(who),
            Act::Manage(single) => self.policy.may_manage_members(who, single),
            Act::Administer => self.policy.may_administer(who),
        }
    }

    /// Returns whether a user may read a room. For users other than the caller, for example subscribers.
    pub(crate) fn may_read(&self, who: Option<&Standing>) -> Result<bool> {
        self.may(Act::Read, who)
    }
}

/// Holds if the policy lets the caller do this in the room.
pub(crate) struct May(pub(crate) Act, pub(crate) RoomId);

impl<H: HasState> Permission<H> for May {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        let who = handler.standing(cx, self.1)?;
        handler.state().may(self.0, who.as_ref())
    }
}

/// Holds if the account is not deactivated.
pub(crate) struct Active;

impl<H: HasState> Permission<H> for Active {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        let Some(user) = cx.user() else { return Ok(false) };
        handler.store().active(user.id)
    }
}

/// Holds if the caller is a member of the room, regardless of the policy.
pub(crate) struct Member(pub(crate) RoomId);

impl<H: HasState> Permission<H> for Member {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        Ok(handler.standing(cx, self.0)?.is_some_and(|who| who.is_member()))
    }
}

/// Holds if the room is not a private conversation. For one, the request makes no sense: 400 instead of 403.
pub(crate) struct Shared(pub(crate) RoomId);

impl<H: HasState> Permission<H> for Shared {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        match handler.standing(cx, self.0)? {
            Some(who) if who.room.kind == Kind::Private => Err(Error::bad_request("This is a private conversation.")),
            who => Ok(who.is_some()),
        }
    }
}

/// Holds if the room is a channel that every user may join.
pub(crate) struct Public(pub(crate) RoomId);

impl<H: HasState> Permission<H> for Public {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        let who = handler.standing(cx, self.0)?;
        Ok(who.is_some_and(|who| who.is_public()))
    }
}

/// Holds if the caller is the creator of the room.
pub(crate) struct IsCreator(pub(crate) RoomId);

impl<H: HasState> Permission<H> for IsCreator {
    async fn has_permission(&self, handler: &H, cx: &PermissionContext<'_, Account>) -> Result<bool> {
        let who = handler.standing(cx, self.0)?;
        Ok(who.and_then(|who| who.place).is_some_and(|place| place.role == Role::Creator))
    }
}

/// Holds for the member who is the creator of the room.
pub(crate) struct Creator;

impl<H: HasState> ObjectPermission<Place, H> for Creator {
    async fn has_object_permission(&self, _: &H, _: &PermissionContext<'_, Account>, place: &Place) -> Result<bool> {
        Ok(place.role == Role::Creator)
    }
}

/// Holds if the member can be removed: everyone except the creator, who can only leave.
pub(crate) struct Removable;

impl<H: HasState> ObjectPermission<Place, H> for Removable {
    async fn has_object_permission(&self, _: &H, cx: &PermissionContext<'_, Account>, place: &Place) -> Result<bool> {
        Ok(place.role != Role::Creator || cx.require_user()?.id == place.user)
    }
}

/// Holds if the caller wrote the message.
pub(crate) struct Author;

impl<H: HasState> ObjectPermission<Message, H> for Author {
    async fn has_object_permission(
        &self,
        _: &H,
        cx: &PermissionContext<'_, Account>,
        message: &Message,
    ) -> Result<bool> {
        Ok(cx.require_user()?.id == message.author)
    }
}

/// Holds if the caller may read the room of the message.
pub(crate) struct Readable;

impl<H: HasState> ObjectPermission<Message, H> for Readable {
    async fn has_object_permission(
        &self,
        handler: &H,
        cx: &PermissionContext<'_, Account>,
        message: &Message,
    ) -> Result<bool> {
        handler.state().may_read(handler.standing(cx, message.room)?.as_ref())
    }
}

impl<H: HasState> ObjectPermission<Elsewhere, H> for Readable {
    async fn has_object_permission(
        &self,
        handler: &H,
        cx: &PermissionContext<'_, Account>,
        message: &Elsewhere,
    ) -> Result<bool> {
        ObjectPermission::<Message, H>::has_object_permission(self, handler, cx, &message.0).await
    }
}
