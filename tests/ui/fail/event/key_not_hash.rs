// The coalescing key must implement `Hash`, and `f64` does not. The error is at the key.

use portcullis::{AllowAny, consumer};

struct Chat;
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
