// A local event in a group whose members may be connected to other machines.

use portcullis::{AllowAny, Event, Group, consumer};

struct Chat;

#[derive(Event)]
#[event(local)]
struct Sent(u32);

#[derive(Clone, PartialEq, Eq, Hash, Group)]
#[group(consumer = Chat, permission = AllowAny, publish = members, events(Sent))]
struct Room(u32);

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(event: &Sent) -> u32 {
        event.0
    }
}

fn main() {}
