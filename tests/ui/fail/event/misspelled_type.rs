// The event type does not exist.

use portcullis::{AllowAny, consumer};

struct Chat;
struct Sent;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self, _: &Snet) -> u32 {
        5
    }
}

fn main() {}
