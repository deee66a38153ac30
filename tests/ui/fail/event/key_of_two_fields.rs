// `key` with two fields: it takes the name of one field, not an expression.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Priced {
    symbol: u32,
}

#[consumer]
impl Chat {
    #[event(permission = AllowAny, key = (symbol, price))]
    fn priced(&self, event: &Priced) -> u32 {
        event.symbol as u32
    }
}

fn main() {}
