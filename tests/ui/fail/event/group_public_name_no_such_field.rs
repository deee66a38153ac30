// A placeholder in `public_name` that names no field of the group. The message lists the fields.

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
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent), public_name = "rooms/{rom_id}")]
struct RoomGroup {
    room_id: u32,
    floor: u8,
}

fn main() {}
