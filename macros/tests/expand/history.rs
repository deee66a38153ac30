//! Groups with a history: one whose function says since when a user may see it, and one that everyone may see.

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = RoomMember,
    publish = members,
    events(MessageCreated),
    history(events = 100, age = "10m", since = Self::member_since)
)]
pub struct RoomGroup {
    pub room_id: u32,
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(
    consumer = Chat,
    permission = AllowAny,
    publish = AllowAny,
    events(Ticked),
    history(age = "1500ms", since = AllowAny, events = 10_000)
)]
struct Lobby;
