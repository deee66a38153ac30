// The value of `user` is not a type.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny, user = 5)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
