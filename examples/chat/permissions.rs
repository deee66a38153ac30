//! The permissions of messages and objects. They read the database each time, so a revoked right has no effect any more
//! at once.

use portcullis::{Error, ObjectPermission, Permission, PermissionContext, Result, Rule, Scope};

use super::model::{Account, Kind, Message, Place, Role, RoomId, Single};
use super::objects::Elsewhere;
use super::policy::{Power, Standing};
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
    /// Change the room and the roles of its members, or delete it.
    Administer(Power),
}

impl Act {
    /// All acts. Posting is last, because the quota refuses it with an error of its own.
    const ALL: [Act; 7] = [
        Act::Read,
        Act::Moderate,
        Act::Manage(Single::Add),
        Act::Manage(Single::Remove),
        Act::Administer(Power::Change),
        Act::Administer(Power::Delete),
        Act::Send,
    ];
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
            Act::Administer(power) => self.policy.may_administer(who, power),
        }
    }

    /// Returns whether a user may read a room. For users other than the caller, for example subscribers.
    pub(crate) fn may_read(&self, who: Option<&Standing>) -> Result<bool> {
        self.may(Act::Read, who)
    }
}

/// Holds if the policy lets the caller do this in the room. A rule, so that it guards routes and groups.
pub(crate) struct May(pub(crate) Act, pub(crate) RoomId);

impl<H: HasState> Rule<H> for May {
    async fn holds(&self, handler: &H, scope: &Scope<Account>) -> Result<bool> {
        handler.state().may(self.0, handler.standing(scope, self.1)?.as_ref())
    }
}

/// Holds if the policy lets the caller do anything in the room.
pub(crate) struct MayAnything(pub(crate) RoomId);

impl<H: HasState> Rule<H> for MayAnything {
    async fn holds(&self, handler: &H, scope: &Scope<Account>) -> Result<bool> {
        let who = handler.standing(scope, self.0)?;
        for act in Act::ALL {
            if handler.state().may(act, who.as_ref())? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Holds if the room is archived. Used as `!Archived({room_id})`: an archived room is read-only.
pub(crate) struct Archived(pub(crate) RoomId);

impl<H: HasState> Rule<H> for Archived {
    async fn holds(&self, handler: &H, scope: &Scope<Account>) -> Result<bool> {
        Ok(handler.standing(scope, self.0)?.is_some_and(|who| who.room.archived))
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

impl<H: HasState> Rule<H> for Member {
    async fn holds(&self, handler: &H, scope: &Scope<Account>) -> Result<bool> {
        Ok(handler.standing(scope, self.0)?.is_some_and(|who| who.is_member()))
    }
}

/// Holds if the room is not a private conversation. For one, the request makes no sense: 400 instead of 403.
pub(crate) struct Shared(pub(crate) RoomId);

impl<H: HasState> Rule<H> for Shared {
    async fn holds(&self, handler: &H, scope: &Scope<Account>) -> Result<bool> {
        match handler.standing(scope, self.0)? {
            Some(who) if who.room.kind == Kind::Private => Err(Error::bad_request("This is a private conversation.")),
            who => Ok(who.is_some()),
        }
    }
}

/// Holds if the room is a channel that every user may join.
pub(crate) struct Public(pub(crate) RoomId);

impl<H: HasState> Rule<H> for Public {
    async fn holds(&self, handler: &H, scope: &Scope<Account>) -> Result<bool> {
        let who = handler.standing(scope, self.0)?;
        Ok(who.is_some_and(|who| who.is_public()))
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
        handler.state().may_read(handler.standing(cx.scope(), message.room)?.as_ref())
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
