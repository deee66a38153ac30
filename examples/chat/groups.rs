//! Where events go: the groups of sockets, and who may be in them.

use portcullis::{Group, GroupPermission, Result, Scope};

use super::events::{
    MemberAdded, MemberRemoved, MessageCreated, MessageDeleted, MessageEdited, RoleChanged, RoomChanged, RoomDeleted,
    RoomLeft, Typing, UploadCreated,
};
use super::lobby::Chat;
use super::model::{Account, RoomId, UserId};
use super::state::Stated as _;

/// Whoever has a room open.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = MayRead,
    events(
        MessageCreated, MessageEdited, MessageDeleted, Typing, MemberAdded, MemberRemoved, RoleChanged, RoomChanged,
        UploadCreated
    )
)]
pub(crate) struct RoomGroup(pub(crate) RoomId);

/// All sockets of one person: for what concerns them in rooms that they have not open, or are not in any more.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = Themself, events(MemberAdded, RoomLeft, RoomDeleted))]
pub(crate) struct Inbox(pub(crate) UserId);

/// May read the room, as the policy says. Asked at the join, and again when `Revoke` says that something has changed.
pub(crate) struct MayRead;

impl GroupPermission<RoomGroup, Chat> for MayRead {
    async fn may_join(&self, chat: &Chat, scope: &Scope<Account>, group: &RoomGroup) -> Result<bool> {
        let Some(user) = scope.user() else { return Ok(false) };
        chat.state().may_read(chat.store().standing(group.0, user.id)?.as_ref())
    }
}

/// Is the person whose inbox it is.
pub(crate) struct Themself;

impl GroupPermission<Inbox, Chat> for Themself {
    async fn may_join(&self, _: &Chat, scope: &Scope<Account>, inbox: &Inbox) -> Result<bool> {
        Ok(scope.user().is_some_and(|user| user.id == inbox.0))
    }
}
