// A block without a user type has only anonymous connections, so `IsAuthenticated` refuses all of them.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = IsAuthenticated)]
    async fn send(&self) {}
}

fn main() {}
