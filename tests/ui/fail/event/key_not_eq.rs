// The coalescing key must implement `Eq`, because different keys may have the same hash. The error is at the key.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Hash, serde::Serialize, serde::Deserialize)]
struct Symbol(u32);
#[derive(Event)]
struct Priced {
    symbol: Symbol,
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny, key = symbol)]
    fn priced(&self, event: &Priced) -> u32 {
        event.symbol.0
    }
}

fn main() {}
