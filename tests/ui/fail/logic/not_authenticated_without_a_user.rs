// In a block without a user type, `!IsAuthenticated` is no restriction. The expression is quoted.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = "!IsAuthenticated")]
impl Chat {
    #[action]
    async fn send(&self) {}
}

fn main() {}
