// `permission = inherited` on an event: there is no parent permission to inherit.

use portcullis::{Event, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = inherited)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

fn main() {}
