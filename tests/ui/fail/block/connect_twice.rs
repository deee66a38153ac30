// Two `#[connect]` methods in one block.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[connect]
    async fn hello(&self) {}

    #[connect]
    async fn good_day(&self) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
