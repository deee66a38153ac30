// `#[action = ..]` is not how keys are written.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action = "ping"]
    async fn ping(&self) {}
}

fn main() {}
