//! The settings of a room: `rooms/{room_id}/settings/`.

use portcullis::{Context, Error, NoContent, Result, handler};

use super::codenames::uploads;
use super::events::RoomChanged;
use super::groups::RoomGroup;
use super::model::{Account, Room, RoomId, Subject};
use super::objects::filled;
use super::permissions::{Act, Archived, May, Shared};
use super::policy::Power;
use super::revoke;
use super::state::{HasState, State};
use super::store::Store;

/// The handler of a room's settings; the route names the room.
pub(crate) struct Settings {
    state: State,
}

impl Settings {
    /// Creates the handler with this state.
    pub(crate) fn new(state: State) -> Settings {
        Settings { state }
    }

    /// Fails if the subject of an overwrite does not exist.
    fn check_subject(&self, subject: Subject, name: &str) -> Result<()> {
        let exists = match subject {
            Subject::Everyone if name.is_empty() => true,
            Subject::Everyone => return Err(Error::bad_request("Everyone has no name.").with_field("name")),
            Subject::Role => self.state.store.role_exists(name)?,
            Subject::Member => match name.parse() {
                Ok(user) => self.state.store.user_exists(user)?,
                Err(_) => false,
            },
        };
        if exists { Ok(()) } else { Err(Error::not_found()) }
    }

    /// Changes the room, and publishes the change to it.
    async fn change(
        &self,
        cx: &Context<'_, Account>,
        room_id: RoomId,
        store: impl FnOnce(&Store) -> Result<Room>,
    ) -> Result<Room> {
        let group = cx.publish_permit(RoomGroup(room_id)).await?;
        let room = store(&self.state.store)?;
        group.publish(RoomChanged(room.clone()));
        Ok(room)
    }
}

impl HasState for Settings {
    fn state(&self) -> &State {
        &self.state
    }
}

#[handler(user = Account, permission = "Shared({room_id}) & May(Act::Administer(Power::Change), {room_id})")]
impl Settings {
    #[action(permission = "!Archived({room_id})")]
    async fn rename(&self, cx: &Context<'_, Account>, #[path] room_id: RoomId, name: String) -> Result<Room> {
        let name = filled("name", name)?;
        self.change(cx, room_id, |store| store.rename(room_id, &name)).await
    }

    #[action(permission = "!Archived({room_id})")]
    async fn lock(&self, cx: &Context<'_, Account>, #[path] room_id: RoomId, locked: bool) -> Result<Room> {
        self.change(cx, room_id, |store| store.set_locked(room_id, locked)).await
    }

    /// Makes the room read-only, or restores it.
    #[action]
    async fn archive(&self, cx: &Context<'_, Account>, #[path] room_id: RoomId, archived: bool) -> Result<Room> {
        self.change(cx, room_id, |store| store.set_archived(room_id, archived)).await
    }

    /// Sets who sees uploads in this room: everyone, a role of the site, or one member by id; `null` removes the overwrite.
    ///
    /// For this codename only: if a room could overwrite `chat.can_moderate_chat`, its admins could grant it to themselves.
    #[action(permission = "!Archived({room_id})")]
    async fn show_uploads(
        &self,
        cx: &Context<'_, Account>,
        #[path] room_id: RoomId,
        subject: Subject,
        #[serde(default)] name: String,
        allowed: Option<bool>,
    ) -> Result<NoContent> {
        self.check_subject(subject, &name)?;
        self.state.store.overwrite(room_id, (subject, &name), uploads::read.name(), allowed)?;
        revoke::room(cx, room_id).await?;
        Ok(NoContent)
    }
}
