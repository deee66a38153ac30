// The value of `name` must be a string literal.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(user = ())]
impl Chat {
    #[action(permission = IsAuthenticated, name = ping_all)]
    async fn ping(&self) {}
}

fn main() {}
