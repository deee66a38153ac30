//! What an application may decide otherwise: five questions, each with an answer that can be replaced alone.

use portcullis::Result;

use super::model::{Kind, Place, Role, Room, Single, UserId};

/// Who asks, and how they stand to the room that they ask about. Made anew for every message.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) user: UserId,
    /// Whether they work for the site. The rules below do not care; a policy may.
    pub(crate) staff: bool,
    pub(crate) room: Room,
    /// Their place in it; `None` is an outsider.
    pub(crate) place: Option<Place>,
}

impl Standing {
    /// Whether they are in the room.
    pub(crate) fn is_member(&self) -> bool {
        self.place.is_some()
    }

    /// Whether they look after the room.
    pub(crate) fn is_admin(&self) -> bool {
        self.place.as_ref().is_some_and(|place| place.role >= Role::Admin)
    }

    /// Whether they were granted this by itself.
    pub(crate) fn holds(&self, single: Single) -> bool {
        self.place.as_ref().is_some_and(|place| place.may.contains(&single))
    }
}

/// All that is decided. What a policy does not replace is decided by the function of the same name.
///
/// A policy sees what was loaded for the message and answers at once. An error with a 4xx status is an answer too.
pub(crate) trait Policy: Send + Sync + 'static {
    fn may_send(&self, who: &Standing) -> Result<bool> {
        Ok(may_send(who))
    }
    fn may_read(&self, who: &Standing) -> Result<bool> {
        Ok(may_read(who))
    }
    /// Whether `chat.can_moderate_chat` counts here for whoever holds it.
    fn may_moderate(&self, who: &Standing) -> Result<bool> {
        Ok(may_moderate(who))
    }
    /// `single` says whether it is about adding or removing.
    fn may_manage_members(&self, who: &Standing, single: Single) -> Result<bool> {
        Ok(may_manage_members(who, single))
    }
    fn may_administer(&self, who: &Standing) -> Result<bool> {
        Ok(may_administer(who))
    }
}

/// Groups: members, while it is locked admins. Channels: admins, and members with the single permission.
pub(crate) fn may_send(who: &Standing) -> bool {
    match who.room.kind {
        Kind::Private => who.is_member(),
        Kind::Group => who.is_admin() || who.is_member() && !who.room.locked,
        Kind::Channel => who.is_admin() || who.holds(Single::Post) && !who.room.locked,
    }
}

/// Whoever is in the room.
pub(crate) fn may_read(who: &Standing) -> bool {
    who.is_member()
}

/// Members, and nobody where two talk in private.
pub(crate) fn may_moderate(who: &Standing) -> bool {
    who.is_member() && who.room.kind != Kind::Private
}

/// Admins, and members with the single permission.
pub(crate) fn may_manage_members(who: &Standing, single: Single) -> bool {
    who.is_admin() || who.holds(single)
}

/// Admins, the creator among them.
pub(crate) fn may_administer(who: &Standing) -> bool {
    who.is_admin()
}
