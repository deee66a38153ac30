// An unknown key on `#[event]`.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny, group = Room)]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

fn main() {}
