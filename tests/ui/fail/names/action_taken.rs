// Two actions with one name: both places are shown, the later first.

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
