// The user type belongs to the whole block. The message says so.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = IsAuthenticated, user = Member)]
    async fn ping(&self) {}
}

fn main() {}
