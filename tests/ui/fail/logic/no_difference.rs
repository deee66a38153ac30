// `Banned` cannot matter, as `IsAuthenticated` alone decides.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(permission = "IsAuthenticated | (IsAuthenticated & Banned)")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
