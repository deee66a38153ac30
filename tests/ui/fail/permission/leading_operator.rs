// A binary operator without an operand before it.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(permission = "| IsAuthenticated")]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
