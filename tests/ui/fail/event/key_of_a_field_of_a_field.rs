// `key` names a nested field: it must be a field of the event itself. The whole value is underlined.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Priced {
    symbol: u32,
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny, key = symbol.exchange)]
    fn priced(&self, event: &Priced) -> u32 {
        event.symbol as u32
    }
}

fn main() {}
