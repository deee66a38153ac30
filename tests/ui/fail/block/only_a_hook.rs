// A consumer block with a hook, but without actions, routes or events.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[connect]
    async fn hello(&self) {}
}

fn main() {}
