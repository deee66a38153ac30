// A group that does not say who may publish.

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
#[group(consumer = Chat, permission = AllowAny, events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
