// A group type with a generic parameter.

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
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent))]
struct RoomGroup<T> {
    room: T,
}

fn main() {}
