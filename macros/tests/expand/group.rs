//! Groups: permissions about the whole group and about a field, the events that a group carries, and public names.

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = "RoomMember | HasRole(\"staff\") & chat.can_moderate_chat | uploads.read(channel)",
    events(MessageCreated, events::Typing),
    public_name = "rooms/{room_id}/{{{channel}}}"
)]
pub struct RoomGroup {
    pub room_id: u32,
    pub channel: ChannelId,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = feed::Feed<Polite>, permission = AllowAny, events(Changed<Polite>), crate = ::sockets)]
enum Everybody {
    Awake,
    Asleep,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, events(Ticked), public_name = "lobby")]
struct Lobby;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, events(Ticked), public_name = "{1}:{0}")]
struct Ticks(u32, String);
