// `rate` on an `#[event]`.

use portcullis::{AllowAny, Event, consumer};

struct Chat;

#[derive(Event)]
struct Said(u32);

#[consumer]
impl Chat {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}

    #[event(permission = AllowAny, rate = "10/s")]
    fn said(&self, event: &Said) -> u32 {
        event.0
    }
}

fn main() {}
