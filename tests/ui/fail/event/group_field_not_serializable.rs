// A group whose key cannot be sent to another machine.

use portcullis::{AllowAny, Event, Group, consumer};

struct Chat;

#[derive(Event)]
struct Sent(u32);

#[derive(Clone, PartialEq, Eq, Hash)]
struct RoomId(u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent))]
struct Room(RoomId);

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(event: &Sent) -> u32 {
        event.0
    }
}

fn main() {}
