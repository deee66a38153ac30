// An event in `events(..)` for which the consumer has no `#[event]` method.

use portcullis::{AllowAny, Event, Group, consumer};

#[derive(Event)]
struct Edited;
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
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent, Edited))]
struct RoomGroup {
    room: u32,
}

fn main() {}
