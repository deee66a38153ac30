// Two actions with the same name: both are reported, the later one first.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action]
    async fn ping(&self) {}

    #[action(name = "ping")]
    async fn ping_again(&self) {}
}

fn main() {}
