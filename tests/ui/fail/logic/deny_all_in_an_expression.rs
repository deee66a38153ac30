// `DenyAll` combined with another permission.

use portcullis::{DenyAll, IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(permission = IsAuthenticated & DenyAll)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
