// A group type without any other derive. Each missing trait is reported once, with the derive to add.

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

#[derive(Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent))]
struct RoomGroup {
    room: u32,
}

fn main() {}
