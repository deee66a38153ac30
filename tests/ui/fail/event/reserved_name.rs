// An event with the name of the one by which the runtime ends a subscription.

use portcullis::{AllowAny, Event, consumer};

struct Chat;
#[derive(Event)]
struct Left;

#[consumer]
impl Chat {
    #[event(permission = AllowAny, name = "unsubscribed")]
    fn left(&self, _: &Left) -> u32 {
        5
    }
}

fn main() {}
