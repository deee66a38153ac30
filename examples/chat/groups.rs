//! The groups of connections, and who may join them and publish to them.

use std::collections::BTreeMap;

use portcullis::{AllowAny, Context, Group, GroupPermission, PublishPermit, Result, Scope};

use super::events::{
    MemberAdded, MemberRemoved, MessageCreated, MessageDeleted, MessageEdited, MessageSeen, RoleChanged, RoomChanged,
    RoomDeleted, RoomLeft, RoomOutdated, RoomsOutdated, Typing, UploadCreated,
};
use super::lobby::Chat;
use super::model::{Account, RoomId, UserId};
use super::permissions::{Act, May, MayAnything, Member, Public};

/// The connections that have a room open.
///
/// The policy decides as for messages: at the join, and when `revoke.rs` reports a change. A caller who may do anything in a
/// room may announce it, on any connection and before the room is open on it. So may a member who leaves, and a user who is
/// about to join a public channel. Everyone who may call the action that lists them may see who has the room open,
/// in any process of the chat.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = "May(Act::Read, {0})",
    publish = "Member({0}) | MayAnything({0}) | Public({0})",
    events(
        MessageCreated, MessageEdited, MessageDeleted, MessageSeen, Typing, MemberAdded, MemberRemoved, RoleChanged, RoomChanged,
        RoomOutdated, UploadCreated
    ),
    presence = AllowAny
)]
pub(crate) struct RoomGroup(pub(crate) RoomId);

/// All connections of one user, for events about rooms that the user has not open, or is no longer in. The actions that
/// publish to it are about rooms, and guarded there.
#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = Themself, publish = AllowAny, events(MemberAdded, RoomLeft, RoomDeleted, RoomsOutdated))]
pub(crate) struct Inbox(pub(crate) UserId);

/// Holds if the inbox is the user's own.
pub(crate) struct Themself;

impl GroupPermission<Inbox, Chat> for Themself {
    async fn may_join(&self, _: &Chat, scope: &Scope<Account>, inbox: &Inbox) -> Result<bool> {
        Ok(scope.user().is_some_and(|user| user.id == inbox.0))
    }
}

/// Takes permits for the inboxes of these users. Taken before anything is stored, so that no change is stored that is not
/// announced.
pub(crate) async fn inboxes<'c>(
    cx: &'c Context<'_, Account>,
    users: &[UserId],
) -> Result<BTreeMap<UserId, PublishPermit<'c, Inbox>>> {
    let mut inboxes = BTreeMap::new();
    for &user in users {
        inboxes.insert(user, cx.publish_permit(Inbox(user)).await?);
    }
    Ok(inboxes)
}
