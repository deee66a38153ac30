// An event that borrows for ever, which another machine cannot.

use portcullis::{AllowAny, Event, consumer};

struct Chat;

#[derive(Event)]
struct Sent {
    text: &'static str,
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(event: &Sent) -> &str {
        event.text
    }
}

fn main() {}
