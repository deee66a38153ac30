// There is nothing to see.

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
