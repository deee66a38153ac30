//! The groups of connections, and who may join them and publish to them.

use portcullis::{AllowAny, Group, GroupPermission, Result, Scope};

use super::events::{
    MemberAdded, MemberRemoved, MessageCreated, MessageDeleted, MessageEdited, RoleChanged, RoomChanged, RoomDeleted,
    RoomLeft, Typing, UploadCreated,
};
use super::lobby::Chat;
use super::model::{Account, RoomId, UserId};
use super::permissions::{Act, May, Public};
use super::state::HasState as _;

/// The connections that have a room open.
///
/// Whoever may do anything in a room announces it, on any connection and before the room is open on it: those who may read
/// or post, and those who are about to join a public channel.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = "May(Act::Read, {0})",
    publish = "May(Act::Read, {0}) | May(Act::Send, {0}) | Public({0})",
    events(
        MessageCreated, MessageEdited, MessageDeleted, Typing, MemberAdded, MemberRemoved, RoleChanged, RoomChanged,
        UploadCreated
    )
)]
pub(crate) struct RoomGroup(pub(crate) RoomId);

/// All connections of one user, for events about rooms that the user has not open, or is no longer in. The actions that
/// publish to it are about rooms, and guarded there.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = Themself, publish = AllowAny, events(MemberAdded, RoomLeft, RoomDeleted))]
pub(crate) struct Inbox(pub(crate) UserId);

/// The policy decides as for messages: at the join, when `revoke.rs` reports a change, and when an action publishes.
impl GroupPermission<RoomGroup, Chat> for May {
    async fn may_join(&self, chat: &Chat, scope: &Scope<Account>, _: &RoomGroup) -> Result<bool> {
        let Some(user) = scope.user() else { return Ok(false) };
        chat.state().may(self.0, chat.store().standing(self.1, user.id)?.as_ref())
    }
}

impl GroupPermission<RoomGroup, Chat> for Public {
    async fn may_join(&self, chat: &Chat, scope: &Scope<Account>, _: &RoomGroup) -> Result<bool> {
        let Some(user) = scope.user() else { return Ok(false) };
        Ok(chat.store().standing(self.0, user.id)?.is_some_and(|who| who.is_public()))
    }
}

/// Holds if the inbox is the user's own.
pub(crate) struct Themself;

impl GroupPermission<Inbox, Chat> for Themself {
    async fn may_join(&self, _: &Chat, scope: &Scope<Account>, inbox: &Inbox) -> Result<bool> {
        Ok(scope.user().is_some_and(|user| user.id == inbox.0))
    }
}
