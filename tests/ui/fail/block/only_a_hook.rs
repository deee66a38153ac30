// A block with a hook, but without anything that a client could call.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[connect]
    async fn hello(&self) {}
}

fn main() {}
