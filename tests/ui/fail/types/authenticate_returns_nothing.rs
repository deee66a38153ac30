// `#[authenticate]` says who it is. Told at the method's name.

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
