// Two events with the same type: both are reported, the later one first.

use portcullis::{AllowAny, DenyAll, Event, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = DenyAll)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }

    #[event(permission = AllowAny)]
    fn resent(&self, _: &Sent) -> u32 {
        6
    }
}

fn main() {}
