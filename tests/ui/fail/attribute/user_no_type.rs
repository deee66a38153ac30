// The user type is no type.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny, user = 5)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
