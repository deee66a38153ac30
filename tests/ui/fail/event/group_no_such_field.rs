// A codename evaluated for a field that the group does not have.

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
#[group(consumer = Chat, permission = "chat.read(rom)", publish = members, events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
