//! One room: `rooms/{room_id}/`. A refusal here does not reveal whether a route or action below exists.

use portcullis::{Context, Created, NoContent, Object, PresentUser, Result, handler};
use serde::Serialize;

use super::codenames::uploads;
use super::events::{MemberRemoved, MessageCreated, RoomDeleted, RoomLeft, Typing, UploadCreated};
use super::groups::{Inbox, RoomGroup, inboxes};
use super::members::Members;
use super::messages::Messages;
use super::model::{Account, Message, MessagePage, Place, Room, RoomId, Upload};
use super::objects::{Caller, Elsewhere, PageNumber, filled};
use super::permissions::{Act, Archived, May, MayAnything, Member, Readable, Shared};
use super::policy::{Power, Standing};
use super::revoke;
use super::settings::Settings;
use super::state::{HasState, State};
use super::store::Draft;

/// The handler of rooms; the route names the room.
pub(crate) struct Rooms {
    state: State,
    messages: Messages,
    members: Members,
    settings: Settings,
}

impl Rooms {
    /// Creates the handler with this state.
    pub(crate) fn new(state: State) -> Rooms {
        Rooms {
            messages: Messages::new(state.clone()),
            members: Members::new(state.clone()),
            settings: Settings::new(state.clone()),
            state,
        }
    }

    /// Stores a message, and publishes it to the room.
    async fn say(&self, cx: &Context<'_, Account>, draft: &Draft<'_>) -> Result<Created<Message>> {
        let room = cx.publish_permit(RoomGroup(draft.room)).await?;
        let message = self.state.store.say(draft)?;
        room.publish(MessageCreated(message.clone()));
        Ok(Created(message))
    }
}

impl HasState for Rooms {
    fn state(&self) -> &State {
        &self.state
    }
}

/// A room as its members see it.
#[derive(Serialize)]
struct RoomView {
    #[serde(flatten)]
    room: Room,
    members: Vec<Place>,
}

/// A policy may admit users to one act only, for example staff who post without reading. Members may always leave.
#[handler(user = Account, permission = "Member({room_id}) | MayAnything({room_id})")]
impl Rooms {
    /// Reads the room, and joins its group on this connection.
    #[action(permission = "May(Act::Read, {room_id})")]
    async fn enter(&self, cx: &Context<'_, Account>, #[extract] who: Standing) -> Result<RoomView> {
        cx.join(RoomGroup(who.room.id)).await?;
        self.read_room(who)
    }

    #[action(permission = "May(Act::Read, {room_id})")]
    fn read_room(&self, #[extract] who: Standing) -> Result<RoomView> {
        Ok(RoomView { members: self.state.store.members(who.room.id)?, room: who.room })
    }

    /// Reads who has the room open.
    #[action(permission = "May(Act::Read, {room_id})")]
    async fn read_online(&self, cx: &Context<'_, Account>, #[path] room_id: RoomId) -> Result<Vec<PresentUser>> {
        cx.present_users(&RoomGroup(room_id)).await
    }

    #[action(permission = "May(Act::Read, {room_id})")]
    fn read_messages(&self, #[path] room_id: RoomId, #[extract] page: PageNumber) -> Result<MessagePage> {
        self.state.store.messages(room_id, page.0)
    }

    /// A reply is to a message of the same room; messages of other rooms count as missing.
    #[action(permission = "May(Act::Send, {room_id}) & !Archived({room_id}) & Readable(reply_to)")]
    async fn send(
        &self,
        cx: &Context<'_, Account>,
        #[path] room_id: RoomId,
        #[extract] caller: Caller,
        text: String,
        reply_to: Option<Object<Message>>,
    ) -> Result<Created<Message>> {
        let (text, reply_to) = (filled("text", text)?, reply_to.map(|message| message.id));
        self.say(cx, &Draft { room: room_id, author: caller.0, text: &text, reply_to, forwarded: false }).await
    }

    /// Posts a copy of a message from another room that the caller may read.
    #[action(permission = "May(Act::Send, {room_id}) & !Archived({room_id}) & Readable(message)")]
    async fn forward(
        &self,
        cx: &Context<'_, Account>,
        #[path] room_id: RoomId,
        #[extract] caller: Caller,
        message: Object<Elsewhere>,
    ) -> Result<Created<Message>> {
        let text = &message.0.text;
        self.say(cx, &Draft { room: room_id, author: caller.0, text, reply_to: None, forwarded: true }).await
    }

    #[action(permission = "May(Act::Send, {room_id}) & !Archived({room_id})")]
    async fn typing(
        &self,
        cx: &Context<'_, Account>,
        #[path] room_id: RoomId,
        #[extract] caller: Caller,
    ) -> Result<NoContent> {
        cx.publish(RoomGroup(room_id), Typing { room: room_id, user: caller.0 }).await?;
        Ok(NoContent)
    }

    #[action(permission = "May(Act::Send, {room_id}) & !Archived({room_id})")]
    async fn upload(
        &self,
        cx: &Context<'_, Account>,
        #[path] room_id: RoomId,
        #[extract] caller: Caller,
        file: String,
    ) -> Result<Created<Upload>> {
        let room_permit = cx.publish_permit(RoomGroup(room_id)).await?;
        let upload = self.state.store.upload(room_id, caller.0, filled("file", file)?)?;
        let Upload { id, room, user, file } = upload.clone();
        room_permit.publish(UploadCreated { room, id, user, file });
        Ok(Created(upload))
    }

    #[action(permission = "May(Act::Read, {room_id}) & uploads.read(room_id)")]
    fn read_uploads(&self, #[path] room_id: RoomId) -> Result<Vec<Upload>> {
        self.state.store.uploads(room_id)
    }

    #[action(permission = "Member({room_id}) & Shared({room_id})")]
    async fn leave(
        &self,
        cx: &Context<'_, Account>,
        #[path] room_id: RoomId,
        #[extract] caller: Caller,
    ) -> Result<NoContent> {
        let (room, inbox) = (cx.publish_permit(RoomGroup(room_id)).await?, cx.publish_permit(Inbox(caller.0)).await?);
        let remains = self.state.store.remove(room_id, &[caller.0])?;
        revoke::people(cx, &[caller.0]).await?;
        if remains {
            room.publish(MemberRemoved { room: room_id, user: caller.0 });
        }
        inbox.publish(RoomLeft { room: room_id });
        Ok(NoContent)
    }

    #[action(permission = "May(Act::Administer(Power::Delete), {room_id})")]
    async fn delete(&self, cx: &Context<'_, Account>, #[path] room_id: RoomId) -> Result<NoContent> {
        let members: Vec<_> = self.state.store.members(room_id)?.iter().map(|place| place.user).collect();
        let inboxes = inboxes(cx, &members).await?;
        self.state.store.delete_room(room_id)?;
        revoke::people(cx, &members).await?;
        for inbox in inboxes.values() {
            inbox.publish(RoomDeleted { room: room_id });
        }
        Ok(NoContent)
    }

    #[route("messages/{message_id:[0-9]+}/")]
    fn messages(&self) -> &Messages {
        &self.messages
    }

    #[route("members/")]
    fn members(&self) -> &Members {
        &self.members
    }

    #[route("settings/")]
    fn settings(&self) -> &Settings {
        &self.settings
    }
}
