// The flag `detached` takes no value.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(permission = IsAuthenticated, detached = true)]
    async fn ping(&self) {}
}

fn main() {}
