// A codename that names a field of a tuple struct: only a named field can be used.

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
struct RoomGroup(u32);

fn main() {}
