// `#[connect]` takes no keys; the connect permission is set by `connect = ..` on the block.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = (), permission = IsAuthenticated)]
impl Chat {
    #[connect(permission = IsAuthenticated)]
    async fn hello(&self) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
