// An operator without an operand after it, in a quoted expression.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(permission = "IsAuthenticated &")]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn ping(&self) {}
}

fn main() {}
