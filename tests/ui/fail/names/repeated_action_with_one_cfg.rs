// Two actions with the same name, only one of them with a `#[cfg]`: both can be compiled at once.

use portcullis::{AllowAny, consumer};

struct Chat;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    async fn ping(&self) {}

    #[cfg(debug_assertions)]
    #[action(name = "ping")]
    async fn ping_slowly(&self) {}
}

fn main() {}
