// A consumer block with a hook, but without actions, routes or events.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[connect]
    async fn hello(&self) {}
}

fn main() {}
