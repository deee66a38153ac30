// `AllowAny` makes the rest meaningless.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(permission = "AllowAny | IsAuthenticated")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
