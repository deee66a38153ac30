//! What goes to others: the events.
//!
//! Who gets one is decided twice: by its group when a socket joins and whenever its user's rights change
//! (`groups.rs`), and by its own permission when it is delivered (`lobby.rs`).

use portcullis::{EventPermission, Scope};
use serde::Serialize;

use super::lobby::Chat;
use super::model::{Account, Message, MessageId, Place, Room, RoomId, UserId};

/// Somebody said something.
#[derive(Serialize)]
pub(crate) struct MessageCreated(pub(crate) Message);

/// It was said otherwise, or somebody reacted to it.
#[derive(Serialize)]
pub(crate) struct MessageEdited(pub(crate) Message);

/// It was unsaid.
#[derive(Serialize)]
pub(crate) struct MessageDeleted {
    pub(crate) room: RoomId,
    pub(crate) message: MessageId,
}

/// Somebody is about to say something.
#[derive(Serialize)]
pub(crate) struct Typing {
    pub(crate) room: RoomId,
    pub(crate) user: UserId,
}

/// Somebody came in.
#[derive(Serialize)]
pub(crate) struct MemberAdded(pub(crate) Place);

/// Somebody went, or was sent.
#[derive(Serialize)]
pub(crate) struct MemberRemoved {
    pub(crate) room: RoomId,
    pub(crate) user: UserId,
}

/// A member may more than before, or less.
#[derive(Serialize)]
pub(crate) struct RoleChanged(pub(crate) Place);

/// The room has another name, or was locked.
#[derive(Serialize)]
pub(crate) struct RoomChanged(pub(crate) Room);

/// A file came in. The permission names the field `room`: that room's overwrites count.
#[derive(Serialize)]
pub(crate) struct UploadCreated {
    pub(crate) room: RoomId,
    pub(crate) id: i64,
    pub(crate) user: UserId,
    pub(crate) file: String,
}

/// To whoever is not in a room any more.
#[derive(Serialize)]
pub(crate) struct RoomLeft {
    pub(crate) room: RoomId,
}

/// To those who were in a room that is no more.
#[derive(Serialize)]
pub(crate) struct RoomDeleted {
    pub(crate) room: RoomId,
}

/// Is who types, on whichever socket.
pub(crate) struct Own;

impl EventPermission<Typing, Chat> for Own {
    fn may_see(&self, _: &Chat, scope: &Scope<Account>, typing: &Typing) -> bool {
        scope.user().is_some_and(|user| user.id == typing.user)
    }
}
