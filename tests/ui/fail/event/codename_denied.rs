// A negated codename in the permission of an event: codenames only grant.

use portcullis::{Event, IsAuthenticated, consumer, permissions};

struct Chat;
#[derive(Event)]
struct Sent {
    room: u32,
}

permissions! {
    chat {
        read = "Reads",
    }
}

#[consumer(user = ())]
impl Chat {
    #[event(permission = IsAuthenticated & !chat.read)]
    fn sent(&self, event: &Sent) -> u32 {
        event.room
    }
}

fn main() {}
