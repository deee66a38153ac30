// `#[action]` on an associated constant instead of a method.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    const LIMIT: u32 = 3;
}

fn main() {}
