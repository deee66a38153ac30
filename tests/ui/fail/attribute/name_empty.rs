// An empty name. The message says how to get the usual one.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = IsAuthenticated, name = "")]
    async fn ping(&self) {}
}

fn main() {}
