// The flag `detached` is given twice.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(permission = IsAuthenticated, detached, detached)]
    async fn ping(&self) {}
}

fn main() {}
