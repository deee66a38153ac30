//! The settings of a room: `rooms/{room_id}/settings/`.

use portcullis::{Context, NoContent, Result, handler};

use super::codenames::uploads;
use super::events::RoomChanged;
use super::groups::RoomGroup;
use super::model::{Account, Room, RoomId, Subject};
use super::objects::filled;
use super::permissions::{Act, May, Shared};
use super::revoke;
use super::state::{HasState, State};

/// The handler of a room's settings; the route names the room.
pub(crate) struct Settings {
    state: State,
}

impl Settings {
    /// Creates the handler with this state.
    pub(crate) fn new(state: State) -> Settings {
        Settings { state }
    }

    /// Publishes the change to the room.
    fn changed(cx: &Context<'_, Account>, room: Room) -> Result<Room> {
        cx.publish(RoomGroup(room.id), RoomChanged(room.clone()))?;
        Ok(room)
    }
}

impl HasState for Settings {
    fn state(&self) -> &State {
        &self.state
    }
}

#[handler(user = Account, permission = "Shared & May(Act::Administer)")]
impl Settings {
    #[action]
    async fn rename(&self, cx: &Context<'_, Account>, #[path] room_id: RoomId, name: String) -> Result<Room> {
        Settings::changed(cx, self.state.store.rename(room_id, &filled("name", name)?)?)
    }

    #[action]
    async fn lock(&self, cx: &Context<'_, Account>, #[path] room_id: RoomId, locked: bool) -> Result<Room> {
        Settings::changed(cx, self.state.store.set_locked(room_id, locked)?)
    }

    /// The policy decides what this means.
    #[action]
    async fn archive(&self, cx: &Context<'_, Account>, #[path] room_id: RoomId, archived: bool) -> Result<Room> {
        Settings::changed(cx, self.state.store.set_archived(room_id, archived)?)
    }

    /// Sets who sees uploads in this room: everyone, a role of the site, or one member by id; `null` removes the overwrite.
    ///
    /// For this codename only: if a room could overwrite `chat.can_moderate_chat`, its admins could grant it to themselves.
    #[action]
    async fn show_uploads(
        &self,
        cx: &Context<'_, Account>,
        #[path] room_id: RoomId,
        subject: Subject,
        #[serde(default)] name: String,
        allowed: Option<bool>,
    ) -> Result<NoContent> {
        self.state.store.overwrite(room_id, (subject, &name), uploads::read.name(), allowed)?;
        revoke::room(cx, room_id).await?;
        Ok(NoContent)
    }
}
