// `#[action]` on an associated constant instead of a method.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action]
    const LIMIT: u32 = 3;
}

fn main() {}
