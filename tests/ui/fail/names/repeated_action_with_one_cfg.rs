// Two actions with the same name, only one of them with a `#[cfg]`: both can be compiled at once.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action]
    async fn ping(&self) {}

    #[cfg(debug_assertions)]
    #[action(name = "ping")]
    async fn ping_slowly(&self) {}
}

fn main() {}
