//! Groups: what is asked at the join, about the whole group and about a field of it, and the events that they carry.

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = "RoomMember | HasRole(\"staff\") & chat.can_moderate_chat | uploads.read(channel)",
    events(MessageCreated, events::Typing)
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
