// `Banned` has no effect, because `IsAuthenticated` alone decides the expression.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(user = (), permission = "IsAuthenticated | (IsAuthenticated & Banned)")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
