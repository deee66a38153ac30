// `#[authenticate]` without a return type. The error is at the name of the method.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[authenticate]
    async fn renew(&self) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
