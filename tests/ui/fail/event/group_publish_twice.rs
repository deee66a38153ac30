// `publish` given twice.

use portcullis::{AllowAny, Group, consumer};

struct Chat;
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, publish = AllowAny, events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
