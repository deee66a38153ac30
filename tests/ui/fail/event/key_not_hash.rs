// The coalescing key must implement `Hash` and `Eq`, and `f64` implements neither. The errors are at the key.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Priced {
    symbol: f64,
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny, key = symbol)]
    fn priced(&self, event: &Priced) -> u32 {
        event.symbol as u32
    }
}

fn main() {}
