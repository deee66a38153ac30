// Where only one of two carries a `#[cfg]`, both can be there at once.

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
