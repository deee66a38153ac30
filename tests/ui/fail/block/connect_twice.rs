// Two `#[connect]` methods in one block.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[connect]
    async fn hello(&self) {}

    #[connect]
    async fn good_day(&self) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
