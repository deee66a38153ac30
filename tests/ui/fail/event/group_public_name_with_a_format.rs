// A placeholder in `public_name` with a format specifier: only the name of a field is accepted.

use portcullis::{AllowAny, Event, Group, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent), public_name = "rooms/{room_id:?}")]
struct RoomGroup {
    room_id: u32,
}

fn main() {}
