// Two events with the same name: both are reported, the later one first.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Sent;
#[derive(Event)]
struct Edited;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }

    #[event(permission = AllowAny, name = "sent")]
    fn edited(&self, _: &Edited) -> u32 {
        5
    }
}

fn main() {}
