// `DenyAll` combined with another permission.

use portcullis::{DenyAll, IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(user = (), permission = IsAuthenticated & DenyAll)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
