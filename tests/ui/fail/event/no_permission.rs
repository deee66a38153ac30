// An event without a permission: the permission of the block applies to messages, not to events.

use portcullis::{AllowAny, consumer};

struct Chat;
struct Sent;

#[consumer(permission = AllowAny)]
impl Chat {
    #[event]
    fn sent(&self, _: &Sent) -> u32 {
        5
    }
}

fn main() {}
