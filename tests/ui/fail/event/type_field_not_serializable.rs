// An event with a field that cannot be sent to another machine.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
struct Text(String);

#[derive(Event)]
struct Sent {
    number: u32,
    text: Text,
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(event: &Sent) -> &str {
        &event.text.0
    }
}

fn main() {}
