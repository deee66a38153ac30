// An event parameter taken by value: subscribers share one event, so it is borrowed.

use portcullis::{AllowAny, consumer};

struct Chat;
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: Sent) -> u32 {
        5
    }
}

fn main() {}
