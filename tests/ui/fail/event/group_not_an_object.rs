// A codename evaluated for a field that does not identify an object.

use portcullis::{AllowAny, Event, Group, consumer, permissions};

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

permissions! {
    chat {
        read = "Reads",
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = chat.read(room), publish = members, events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
