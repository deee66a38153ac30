//! The groups of connections, and who may join them.

use portcullis::{Group, GroupPermission, Result, Scope};

use super::events::{
    MemberAdded, MemberRemoved, MessageCreated, MessageDeleted, MessageEdited, RoleChanged, RoomChanged, RoomDeleted,
    RoomLeft, Typing, UploadCreated,
};
use super::lobby::Chat;
use super::model::{Account, RoomId, UserId};
use super::state::HasState as _;

/// The connections that have a room open.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = MayRead,
    publish = members,
    events(
        MessageCreated, MessageEdited, MessageDeleted, Typing, MemberAdded, MemberRemoved, RoleChanged, RoomChanged,
        UploadCreated
    )
)]
pub(crate) struct RoomGroup(pub(crate) RoomId);

/// All connections of one user, for events about rooms that the user has not open, or is no longer in.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = Themself, publish = members, events(MemberAdded, RoomLeft, RoomDeleted))]
pub(crate) struct Inbox(pub(crate) UserId);

/// Holds if the policy lets the user read the room. Evaluated at the join, and again when `revoke.rs` reports a change.
pub(crate) struct MayRead;

impl GroupPermission<RoomGroup, Chat> for MayRead {
    async fn may_join(&self, chat: &Chat, scope: &Scope<Account>, group: &RoomGroup) -> Result<bool> {
        let Some(user) = scope.user() else { return Ok(false) };
        chat.state().may_read(chat.store().standing(group.0, user.id)?.as_ref())
    }
}

/// Holds if the inbox is the user's own.
pub(crate) struct Themself;

impl GroupPermission<Inbox, Chat> for Themself {
    async fn may_join(&self, _: &Chat, scope: &Scope<Account>, inbox: &Inbox) -> Result<bool> {
        Ok(scope.user().is_some_and(|user| user.id == inbox.0))
    }
}
