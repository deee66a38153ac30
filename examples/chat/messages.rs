//! One message of a room: `rooms/{room_id}/messages/{message_id}/`.

use portcullis::{AllowAny, Context, NoContent, Object, Result, handler};

use super::codenames::chat;
use super::events::{MessageDeleted, MessageEdited};
use super::groups::RoomGroup;
use super::model::{Account, Message};
use super::objects::{Caller, filled};
use super::permissions::{Act, Author, May};
use super::state::{HasState, State};

/// The handler of messages; the route names the room and the message.
pub(crate) struct Messages {
    state: State,
}

impl Messages {
    /// Creates the handler with this state.
    pub(crate) fn new(state: State) -> Messages {
        Messages { state }
    }
}

impl HasState for Messages {
    fn state(&self) -> &State {
        &self.state
    }
}

#[handler(user = Account, permission = "May(Act::Read, {room_id})")]
impl Messages {
    #[action(permission = "Author(message) | May(Act::Moderate, {room_id}) & chat.can_moderate_chat(message)")]
    async fn edit(
        &self,
        cx: &Context<'_, Account>,
        #[path("message_id")] message: Object<Message>,
        text: String,
    ) -> Result<Message> {
        let room = cx.publish_permit(RoomGroup(message.room)).await?;
        let edited = self.state.store.edit(message.id, &filled("text", text)?)?;
        room.publish(MessageEdited(edited.clone()));
        Ok(edited)
    }

    #[action(permission = "Author(message) | May(Act::Moderate, {room_id}) & chat.can_moderate_chat(message)")]
    async fn delete(
        &self,
        cx: &Context<'_, Account>,
        #[path("message_id")] message: Object<Message>,
    ) -> Result<NoContent> {
        let room = cx.publish_permit(RoomGroup(message.room)).await?;
        self.state.store.delete_message(message.id)?;
        room.publish(MessageDeleted { room: message.room, message: message.id });
        Ok(NoContent)
    }

    #[action(permission = "AllowAny(message)")]
    async fn react(
        &self,
        cx: &Context<'_, Account>,
        #[extract] caller: Caller,
        #[path("message_id")] message: Object<Message>,
        emoji: String,
    ) -> Result<Message> {
        let emoji: String = filled("emoji", emoji)?.split_whitespace().take(1).collect();
        let room = cx.publish_permit(RoomGroup(message.room)).await?;
        let edited = self.state.store.react(message.id, caller.0, &emoji)?;
        room.publish(MessageEdited(edited.clone()));
        Ok(edited)
    }

    /// Records that the caller has read up to this message.
    #[action(permission = "AllowAny(message)")]
    async fn acknowledge(
        &self,
        #[extract] caller: Caller,
        #[path("message_id")] message: Object<Message>,
    ) -> Result<NoContent> {
        self.state.store.acknowledge(message.room, caller.0, message.id).map(|()| NoContent)
    }
}
