// `AllowAny` combined with another permission.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(user = (), permission = "AllowAny | IsAuthenticated")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
