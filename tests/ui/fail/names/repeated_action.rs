// Two actions with the same name: both are reported, the later one first.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self) {}

    #[action(name = "ping")]
    async fn ping_again(&self) {}
}

fn main() {}
