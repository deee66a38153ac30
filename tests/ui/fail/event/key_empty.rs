// An empty `key`.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Priced {
    symbol: u32,
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny, key = "")]
    fn priced(&self, event: &Priced) -> u32 {
        event.symbol as u32
    }
}

fn main() {}
