// It can never hold, which takes a second look.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(permission = "(IsAuthenticated | Banned) & !IsAuthenticated & !Banned")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
