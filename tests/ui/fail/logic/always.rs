// An expression that always holds: write `AllowAny` instead.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;

#[consumer(user = (), permission = IsAuthenticated | !IsAuthenticated)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
