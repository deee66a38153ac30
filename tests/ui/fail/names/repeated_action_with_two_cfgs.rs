// Two actions with the same name and different `#[cfg]`s that both hold.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[cfg(not(test))]
    #[action]
    async fn ping(&self) {}

    #[cfg(debug_assertions)]
    #[action(name = "ping")]
    async fn pong(&self) {}
}

fn main() {}
