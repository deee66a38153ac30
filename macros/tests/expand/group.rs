//! Groups: permissions about the whole group and about a field, who may publish, the events that a group carries, and
//! public names.

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = "RoomMember | HasRole(\"staff\") & chat.can_moderate_chat | uploads.read(channel)",
    publish = "RoomMember & uploads.write(channel)",
    events(MessageCreated, events::Typing),
    public_name = "rooms/{room_id}/{{{channel}}}"
)]
pub struct RoomGroup {
    pub room_id: u32,
    pub channel: ChannelId,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = feed::Feed<Polite>, permission = AllowAny, publish = members, events(Changed<Polite>), crate = ::sockets)]
enum Everybody {
    Awake,
    Asleep,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = AllowAny, events(Ticked), public_name = "lobby")]
struct Lobby;

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Ticked), public_name = "{1}:{0}")]
struct Ticks(u32, String);
