// `detached` stands there once.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = IsAuthenticated, detached, detached)]
    async fn ping(&self) {}
}

fn main() {}
