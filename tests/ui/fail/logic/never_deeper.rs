// An expression that can never hold, although no two of its operands contradict each other.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(user = (), permission = "(IsAuthenticated | Banned) & !IsAuthenticated & !Banned")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
