// A field in `public_name` that does not implement `Display`. The error is at the literal.

use portcullis::{AllowAny, Event, Group, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[derive(Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
struct RoomId(u32);

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent), public_name = "rooms/{room_id}")]
struct RoomGroup {
    room_id: RoomId,
}

fn main() {}
