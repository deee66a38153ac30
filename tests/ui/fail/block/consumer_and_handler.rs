// A block that is a consumer and a handler.

use portcullis::{AllowAny, consumer, handler};

struct Chat;

#[consumer(permission = AllowAny)]
#[handler(permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
