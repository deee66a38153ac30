//! One message of a room: `rooms/{room_id}/messages/{message_id}/`.

use portcullis::{AllowAny, Context, NoContent, Object, Result, handler};

use super::codenames::chat;
use super::events::{MessageDeleted, MessageEdited, MessageSeen};
use super::groups::RoomGroup;
use super::model::{Account, Message};
use super::objects::{Caller, filled};
use super::permissions::{Act, Archived, Author, May};
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

/// A user who may moderate need not be allowed to read.
#[handler(user = Account, permission = "May(Act::Read, {room_id}) | May(Act::Moderate, {room_id})")]
impl Messages {
    #[action(permission = "!Archived({room_id}) & (Author(message) & May(Act::Read, {room_id}) \
                           | May(Act::Moderate, {room_id}) & chat.can_moderate_chat(message))")]
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

    #[action(permission = "!Archived({room_id}) & (Author(message) & May(Act::Read, {room_id}) \
                           | May(Act::Moderate, {room_id}) & chat.can_moderate_chat(message))")]
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

    #[action(permission = "May(Act::Read, {room_id}) & !Archived({room_id}) & AllowAny(message)")]
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

    /// Removes the caller's reaction.
    #[action(permission = "May(Act::Read, {room_id}) & !Archived({room_id}) & AllowAny(message)")]
    async fn unreact(
        &self,
        cx: &Context<'_, Account>,
        #[extract] caller: Caller,
        #[path("message_id")] message: Object<Message>,
    ) -> Result<Message> {
        let room = cx.publish_permit(RoomGroup(message.room)).await?;
        let edited = self.state.store.unreact(message.id, caller.0)?;
        room.publish(MessageEdited(edited.clone()));
        Ok(edited)
    }

    /// Records that the caller has read up to this message, and shows it to the room unless the caller had read further.
    #[action(permission = "May(Act::Read, {room_id}) & AllowAny(message)")]
    async fn acknowledge(
        &self,
        cx: &Context<'_, Account>,
        #[extract] caller: Caller,
        #[path("message_id")] message: Object<Message>,
    ) -> Result<NoContent> {
        let room = cx.publish_permit(RoomGroup(message.room)).await?;
        if self.state.store.acknowledge(message.room, caller.0, message.id)? {
            room.publish(MessageSeen { room: message.room, user: caller.0, message: message.id });
        }
        Ok(NoContent)
    }
}
