//! Groups with presence: leaves about the viewer, the member and fields of the key, and one that announces changes.

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = RoomMember,
    publish = members,
    events(MessageCreated),
    presence = "IsStaff | SharesTeam(member, {room_id}) & uploads.read(channel)",
    announce,
    public_name = "rooms/{room_id}/{channel}"
)]
pub struct RoomGroup {
    pub room_id: u32,
    pub channel: ChannelId,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = AllowAny, events(Ticked), presence = AllowAny)]
struct Lobby;
