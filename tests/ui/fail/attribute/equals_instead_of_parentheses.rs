// `#[action = ..]` instead of `#[action(..)]`.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action = "ping"]
    async fn ping(&self) {}
}

fn main() {}
