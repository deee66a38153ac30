// The attribute on something that is no method.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action]
    const LIMIT: u32 = 3;
}

fn main() {}
