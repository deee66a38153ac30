// `#[connect]` returns a value: it can only accept or reject the connection.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[connect]
    async fn hello(&self) -> u32 {
        3
    }

    #[action]
    async fn ping(&self) {}
}

fn main() {}
