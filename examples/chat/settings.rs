//! The settings of a room: `rooms/{room_id}/settings/`.

use portcullis::{Context, Error, NoContent, Result, handler};

use super::codenames::uploads;
use super::events::RoomChanged;
use super::groups::RoomGroup;
use super::model::{Account, Room, RoomId, Subject, UserId};
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

    /// Returns the name under which an overwrite is stored. 404 if its subject does not exist.
    fn subject_name(&self, room: RoomId, subject: Subject, name: String, is_removed: bool) -> Result<String> {
        let store = &self.state.store;
        match subject {
            Subject::Everyone if name.is_empty() => Ok(name),
            Subject::Everyone => Err(Error::bad_request("Everyone has no name.").with_field("name")),
            Subject::Role if store.role_exists(&name)? => Ok(name),
            Subject::Role => Err(Error::not_found()),
            Subject::Member => {
                let user: UserId = name.parse().map_err(|_| Error::not_found())?;
                // The overwrite of a former member can still be removed.
                let exists = store.place(room, user)?.is_some() || is_removed && store.user_exists(user)?;
                // Not the client's spelling: `04` would be an overwrite beside that of `4`.
                if exists { Ok(user.to_string()) } else { Err(Error::not_found()) }
            }
        }
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

    /// Sets whether a subject sees uploads in this room: everyone, a role of the site, or one member by id. The value
    /// replaces the earlier one; `null` removes it.
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
        let name = self.subject_name(room_id, subject, name, allowed.is_none())?;
        self.state.store.overwrite(room_id, (subject, &name), uploads::read.name(), allowed)?;
        revoke::room(cx, room_id).await?;
        Ok(NoContent)
    }
}
