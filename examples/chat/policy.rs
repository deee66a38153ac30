//! The five decisions that an application may replace one by one.

use portcullis::Result;

use super::model::{Kind, Place, Role, Room, Single, UserId};

/// A user and their relation to a room. Loaded for every message.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) user: UserId,
    /// Whether the user is staff. The defaults below ignore it; a policy may use it.
    pub(crate) staff: bool,
    pub(crate) room: Room,
    /// The user's membership, or `None` if the user is not in the room.
    pub(crate) place: Option<Place>,
}

impl Standing {
    /// Returns whether the user is in the room.
    pub(crate) fn is_member(&self) -> bool {
        self.place.is_some()
    }

    /// Returns whether the room is a channel that every user may join.
    pub(crate) fn is_public(&self) -> bool {
        self.room.kind == Kind::Channel && self.room.public
    }

    /// Returns whether the user is an admin of the room.
    pub(crate) fn is_admin(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.role >= Role::Admin)
    }

    /// Returns whether the user is the creator of the room.
    pub(crate) fn is_creator(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.role == Role::Creator)
    }

    /// Returns whether the user has this single permission.
    pub(crate) fn holds(&self, single: Single) -> bool {
        self.place.as_ref().is_some_and(|place| place.may.contains(&single))
    }
}

/// What an administrator of a room does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Power {
    /// Change the room and the roles of its members.
    Change,
    /// Delete the room.
    Delete,
}

/// The decisions. The default of each is the function of the same name.
///
/// A policy gets the data that was loaded for the message and decides without waiting. It may also return an error with
/// a 4xx status. Each can admit users that the default refuses, also users who are not in the room.
pub(crate) trait Policy: Send + Sync + 'static {
    fn may_send(&self, who: &Standing) -> Result<bool> {
        Ok(may_send(who))
    }
    fn may_read(&self, who: &Standing) -> Result<bool> {
        Ok(may_read(who))
    }
    /// Returns whether `chat.can_moderate_chat` applies in this room.
    fn may_moderate(&self, who: &Standing) -> Result<bool> {
        Ok(may_moderate(who))
    }
    /// `single` is either adding or removing.
    fn may_manage_members(&self, who: &Standing, single: Single) -> Result<bool> {
        Ok(may_manage_members(who, single))
    }
    fn may_administer(&self, who: &Standing, power: Power) -> Result<bool> {
        Ok(may_administer(who, power))
    }
}

/// In groups: members, or admins if the group is locked. In channels: admins, and members with the single permission.
pub(crate) fn may_send(who: &Standing) -> bool {
    match who.room.kind {
        Kind::Private => who.is_member(),
        Kind::Group => who.is_admin() || who.is_member() && !who.room.locked,
        Kind::Channel => who.is_admin() || who.holds(Single::Post) && !who.room.locked,
    }
}

/// Members of the room.
pub(crate) fn may_read(who: &Standing) -> bool {
    who.is_member()
}

/// Members, except in private conversations.
pub(crate) fn may_moderate(who: &Standing) -> bool {
    who.is_member() && who.room.kind != Kind::Private
}

/// Admins, and members with the single permission.
pub(crate) fn may_manage_members(who: &Standing, single: Single) -> bool {
    who.is_admin() || who.holds(single)
}

/// Admins, including the creator, change the room. Only the creator deletes it.
pub(crate) fn may_administer(who: &Standing, power: Power) -> bool {
    match power {
        Power::Change => who.is_admin(),
        Power::Delete => who.is_creator(),
    }
}
