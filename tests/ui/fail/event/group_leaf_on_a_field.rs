// A permission type is evaluated for the whole group, not for a field of it.

use portcullis::{AllowAny, Event, Group, IsAuthenticated, consumer};

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
#[group(consumer = Chat, permission = IsAuthenticated(room), publish = members, events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
