//! The consumer: actions outside of rooms, and the events.

use portcullis::{AllowAny, ConnectContext, Context, Created, Error, Gap, NoContent, Result, consumer};

use super::broker::{BrokerChanged, ThisProcess};
use super::channels::Channels;
use super::codenames::{accounts, uploads};
use super::events::{
    MemberAdded, MemberRemoved, MessageCreated, MessageDeleted, MessageEdited, MessageSeen, Own, RoleChanged,
    RoomChanged, RoomDeleted, RoomLeft, RoomOutdated, RoomsOutdated, Typing, UploadCreated,
};
use super::groups::{Inbox, RoomGroup};
use super::model::{Account, Kind, Room, UserId};
use super::objects::{Caller, filled};
use super::permissions::Active;
use super::revoke;
use super::rooms::Rooms;
use super::state::{HasState, State};

/// The consumer, one value for all connections.
pub(crate) struct Chat {
    state: State,
    channels: Channels,
    rooms: Rooms,
}

impl Chat {
    /// Creates the consumer with this state.
    pub(crate) fn new(state: State) -> Chat {
        Chat { channels: Channels::new(state.clone()), rooms: Rooms::new(state.clone()), state }
    }
}

impl HasState for Chat {
    fn state(&self) -> &State {
        &self.state
    }
}

/// Handshakes of deactivated accounts are rejected, and their messages on open connections are refused.
#[consumer(user = Account, permission = "Active", connect = "Active")]
impl Chat {
    #[connect]
    async fn connect(&self, cx: &ConnectContext<'_, Account>) -> Result<()> {
        let user = cx.user().ok_or_else(Error::denied)?;
        cx.join(ThisProcess).await?;
        cx.join(Inbox(user.id)).await
    }

    /// Has the clients here reload what they may have missed.
    #[gap]
    async fn on_gap(&self, cx: &Gap<'_, Self>) {
        for room in cx.groups::<RoomGroup>() {
            cx.publish_here(&room, RoomOutdated { room: room.0 }).await;
        }
        for inbox in cx.groups::<Inbox>() {
            cx.publish_here(&inbox, RoomsOutdated).await;
        }
    }

    #[action]
    fn my_rooms(&self, #[extract] caller: Caller) -> Result<Vec<Room>> {
        self.state.store.rooms_of(caller.0)
    }

    /// Joins the groups of all rooms that the caller is in and may read, on this connection, and returns the rooms.
    ///
    /// 409 if they are more than `Limits::max_groups`; the client then enters the rooms that it shows.
    #[action]
    async fn enter_rooms(&self, cx: &Context<'_, Account>, #[extract] caller: Caller) -> Result<Vec<Room>> {
        let mut entered = Vec::new();
        for room in self.state.store.rooms_of(caller.0)? {
            if self.state.may_read(self.standing(cx.scope(), room.id)?.as_ref())? {
                cx.join(RoomGroup(room.id)).await?;
                entered.push(room);
            }
        }
        Ok(entered)
    }

    #[action]
    fn create_room(
        &self,
        #[extract] caller: Caller,
        kind: Kind,
        name: String,
        #[serde(default)] public: bool,
    ) -> Result<Created<Room>> {
        if kind == Kind::Private || public && kind == Kind::Group {
            return Err(Error::bad_request("Make a group or a channel; a channel may be public."));
        }
        self.state.store.create(caller.0, kind, &filled("name", name)?, public).map(Created)
    }

    /// Returns the conversation with one other user, which is created on first use.
    #[action]
    fn open_private(&self, #[extract] caller: Caller, user: UserId) -> Result<Room> {
        if user == caller.0 {
            return Err(Error::bad_request("It takes two.").with_field("user"));
        }
        self.state.store.open_private(caller.0, user)
    }

    #[action(permission = "accounts.deactivate")]
    async fn deactivate(&self, cx: &Context<'_, Account>, user: UserId) -> Result<NoContent> {
        if !self.state.store.deactivate(user)? {
            return Err(Error::not_found());
        }
        revoke::people(cx, &[user]).await?;
        Ok(NoContent)
    }

    #[route("channels/{room_id:[0-9]+}/")]
    fn channels(&self) -> &Channels {
        &self.channels
    }

    #[route("rooms/{room_id:[0-9]+}/")]
    fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    // Members of the group may see its events for as long as they are members.
    #[event(permission = "AllowAny")]
    fn message_created(event: &MessageCreated) -> &MessageCreated {
        event
    }

    #[event(permission = "AllowAny")]
    fn message_edited(event: &MessageEdited) -> &MessageEdited {
        event
    }

    #[event(permission = "AllowAny")]
    fn message_deleted(event: &MessageDeleted) -> &MessageDeleted {
        event
    }

    #[event(permission = "AllowAny")]
    fn message_seen(event: &MessageSeen) -> &MessageSeen {
        event
    }

    /// Not sent to the user's own connections.
    #[event(permission = "!Own")]
    fn typing(event: &Typing) -> &Typing {
        event
    }

    #[event(permission = "AllowAny")]
    fn member_added(event: &MemberAdded) -> &MemberAdded {
        event
    }

    #[event(permission = "AllowAny")]
    fn member_removed(event: &MemberRemoved) -> &MemberRemoved {
        event
    }

    #[event(permission = "AllowAny")]
    fn role_changed(event: &RoleChanged) -> &RoleChanged {
        event
    }

    #[event(permission = "AllowAny")]
    fn room_changed(event: &RoomChanged) -> &RoomChanged {
        event
    }

    #[event(permission = "AllowAny")]
    fn room_outdated(event: &RoomOutdated) -> &RoomOutdated {
        event
    }

    #[event(permission = "AllowAny")]
    fn rooms_outdated(event: &RoomsOutdated) -> &RoomsOutdated {
        event
    }

    #[event(permission = "AllowAny")]
    fn broker_changed(event: &BrokerChanged) -> &BrokerChanged {
        event
    }

    #[event(permission = "uploads.read(room)")]
    fn upload_created(event: &UploadCreated) -> &UploadCreated {
        event
    }

    /// Published to an inbox, so only its owner receives it.
    #[event(permission = "AllowAny")]
    fn room_left(event: &RoomLeft) -> &RoomLeft {
        event
    }

    /// Published to the inboxes of the former members, because the room's group cannot be joined any more.
    #[event(permission = "AllowAny")]
    fn room_deleted(event: &RoomDeleted) -> &RoomDeleted {
        event
    }
}
