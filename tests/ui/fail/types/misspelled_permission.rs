// A leaf that does not exist: one error, with the one that was meant.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthentcated)]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
