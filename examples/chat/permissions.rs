//! Every permission of messages and objects. They ask the database each time, so what was taken away is gone at once.

use portcullis::{Context, Error, ObjectPermission, Permission, Result};

use super::model::{Account, Kind, Message, Place, Role, Single};
use super::objects::Elsewhere;
use super::policy::Standing;
use super::state::{State, Stated};

/// What a policy decides.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// Write.
    Send,
    /// Read, and whatever else anybody in the room does.
    Read,
    /// Use `chat.can_moderate_chat`.
    Moderate,
    /// Bring people in, or send them away.
    Manage(Single),
    /// Change the room itself, and who is what in it.
    Administer,
}

impl State {
    /// What the policy says. An outsider of a room that does not exist is refused as any other.
    fn may(&self, act: Act, who: Option<&Standing>) -> Result<bool> {
        let Some(who) = who else { return Ok(false) };
        match act {
            Act::Send => self.policy.may_send(who),
            Act::Read => self.policy.may_read(who),
            Act::Moderate => self.policy.may_moderate(who),
            Act::Manage(single) => self.policy.may_manage_members(who, single),
            Act::Administer => self.policy.may_administer(who),
        }
    }

    /// Whether somebody may read a room, for what is asked about others than the sender of a message.
    pub(crate) fn may_read(&self, who: Option<&Standing>) -> Result<bool> {
        self.may(Act::Read, who)
    }
}

/// May do this in the room of the route.
pub(crate) struct May(pub(crate) Act);

impl<H: Stated> Permission<H> for May {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        let who = handler.standing(cx, cx.capture("room_id")?)?;
        handler.state().may(self.0, who.as_ref())
    }
}

/// Was not shut out since.
pub(crate) struct Active;

impl<H: Stated> Permission<H> for Active {
    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        let Some(user) = cx.user() else { return Ok(false) };
        handler.store().active(user.id)
    }
}

/// Is in the room of the route, whatever a policy says.
pub(crate) struct Member;

impl<H: Stated> Permission<H> for Member {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        Ok(handler.standing(cx, cx.capture("room_id")?)?.is_some_and(|who| who.is_member()))
    }
}

/// The room of the route is more than two people's. Where it is not, the request makes no sense: 400, not a plain no.
pub(crate) struct Shared;

impl<H: Stated> Permission<H> for Shared {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        match handler.standing(cx, cx.capture("room_id")?)? {
            Some(who) if who.room.kind == Kind::Private => Err(Error::bad_request("This is a private conversation.")),
            who => Ok(who.is_some()),
        }
    }
}

/// The room of the route is a channel that anybody may join.
pub(crate) struct Public;

impl<H: Stated> Permission<H> for Public {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        let who = handler.standing(cx, cx.capture("room_id")?)?;
        Ok(who.is_some_and(|who| who.room.kind == Kind::Channel && who.room.public))
    }
}

/// Made the room. `Creator` is about the sender, `Creator(member)` about somebody else.
pub(crate) struct Creator;

impl<H: Stated> Permission<H> for Creator {
    const CAPTURES: &'static [&'static str] = &["room_id"];

    async fn has_permission(&self, handler: &H, cx: &Context<'_, Account>) -> Result<bool> {
        let who = handler.standing(cx, cx.capture("room_id")?)?;
        Ok(who.and_then(|who| who.place).is_some_and(|place| place.role == Role::Creator))
    }
}

impl<H: Stated> ObjectPermission<Place, H> for Creator {
    async fn has_object_permission(&self, _: &H, _: &Context<'_, Account>, place: &Place) -> Result<bool> {
        Ok(place.role == Role::Creator)
    }
}

/// Can be taken out of the room: anybody but the creator, who only goes by themself.
pub(crate) struct Removable;

impl<H: Stated> ObjectPermission<Place, H> for Removable {
    async fn has_object_permission(&self, _: &H, cx: &Context<'_, Account>, place: &Place) -> Result<bool> {
        Ok(place.role != Role::Creator || cx.require_user()?.id == place.user)
    }
}

/// Wrote the message.
pub(crate) struct Author;

impl<H: Stated> ObjectPermission<Message, H> for Author {
    async fn has_object_permission(&self, _: &H, cx: &Context<'_, Account>, message: &Message) -> Result<bool> {
        Ok(cx.require_user()?.id == message.author)
    }
}

/// May read the room that the message is in.
pub(crate) struct Readable;

impl<H: Stated> ObjectPermission<Message, H> for Readable {
    async fn has_object_permission(&self, handler: &H, cx: &Context<'_, Account>, message: &Message) -> Result<bool> {
        handler.state().may_read(handler.standing(cx, message.room)?.as_ref())
    }
}

impl<H: Stated> ObjectPermission<Elsewhere, H> for Readable {
    async fn has_object_permission(&self, handler: &H, cx: &Context<'_, Account>, message: &Elsewhere) -> Result<bool> {
        ObjectPermission::<Message, H>::has_object_permission(self, handler, cx, &message.0).await
    }
}
