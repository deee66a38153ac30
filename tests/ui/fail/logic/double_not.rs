// A double negation.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(user = (), permission = "!!Banned")]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
