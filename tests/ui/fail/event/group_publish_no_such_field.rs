// A codename of `publish` for a field that the group does not have.

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
        write = "Writes",
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = "chat.write(rom)", events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
