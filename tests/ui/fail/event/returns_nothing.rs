// An `#[event]` method without a return type.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Sent) {}
}

fn main() {}
