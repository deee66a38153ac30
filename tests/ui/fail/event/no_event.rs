// An `#[event]` method without an event parameter.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[event(permission = AllowAny)]
    fn sent(&self) -> u32 {
        5
    }
}

fn main() {}
