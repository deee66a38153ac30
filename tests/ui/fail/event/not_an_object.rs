// A codename evaluated for a field that does not identify an object.

use portcullis::{Event, consumer, permissions};

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

#[consumer]
impl Chat {
    #[event(permission = chat.read(room))]
    fn sent(&self, event: &Sent) -> u32 {
        event.room
    }
}

fn main() {}
