//! The events.
//!
//! Two permissions define who receives an event: the group's, when a connection joins and whenever its user's rights change
//! (`groups.rs`), and the event's own, when it is delivered (`lobby.rs`).

use portcullis::{Event, EventPermission, Scope};
use serde::Serialize;

use super::lobby::Chat;
use super::model::{Account, Message, MessageId, Place, Room, RoomId, UserId};

/// A message was posted.
#[derive(Event, Serialize)]
pub(crate) struct MessageCreated(pub(crate) Message);

/// A message was edited, or its reactions have changed.
#[derive(Event, Serialize)]
pub(crate) struct MessageEdited(pub(crate) Message);

/// A message was deleted.
#[derive(Event, Serialize)]
pub(crate) struct MessageDeleted {
    pub(crate) room: RoomId,
    pub(crate) message: MessageId,
}

/// A member has read up to a message.
#[derive(Event, Serialize)]
pub(crate) struct MessageSeen {
    pub(crate) room: RoomId,
    pub(crate) user: UserId,
    pub(crate) message: MessageId,
}

/// A user is typing.
#[derive(Event, Serialize)]
pub(crate) struct Typing {
    pub(crate) room: RoomId,
    pub(crate) user: UserId,
}

/// A user became a member.
#[derive(Event, Serialize)]
pub(crate) struct MemberAdded(pub(crate) Place);

/// A member left or was removed.
#[derive(Event, Serialize)]
pub(crate) struct MemberRemoved {
    pub(crate) room: RoomId,
    pub(crate) user: UserId,
}

/// A member's role or single permissions changed.
#[derive(Event, Serialize)]
pub(crate) struct RoleChanged(pub(crate) Place);

/// The room was renamed, locked or archived.
#[derive(Event, Serialize)]
pub(crate) struct RoomChanged(pub(crate) Room);

/// A file was uploaded. The permission names the field `room`, whose overwrites apply.
#[derive(Event, Serialize)]
pub(crate) struct UploadCreated {
    pub(crate) room: RoomId,
    pub(crate) id: i64,
    pub(crate) user: UserId,
    pub(crate) file: String,
}

/// Events of the room may have been lost on the way from another process.
#[derive(Event, Serialize)]
pub(crate) struct RoomOutdated {
    pub(crate) room: RoomId,
}

/// Events of the user's inbox may have been lost: the user may be in other rooms now.
#[derive(Event, Serialize)]
pub(crate) struct RoomsOutdated;

/// Sent to a user who is no longer in a room.
#[derive(Event, Serialize)]
pub(crate) struct RoomLeft {
    pub(crate) room: RoomId,
}

/// Sent to the members of a room that was deleted.
#[derive(Event, Serialize)]
pub(crate) struct RoomDeleted {
    pub(crate) room: RoomId,
}

/// Holds if the subscriber is the user who is typing, on any of the user's connections.
pub(crate) struct Own;

impl EventPermission<Typing, Chat> for Own {
    fn may_see(&self, _: &Chat, scope: &Scope<Account>, typing: &Typing) -> bool {
        scope.user().is_some_and(|user| user.id == typing.user)
    }
}
