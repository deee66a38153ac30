// A subexpression that always holds.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;
struct Staff;

#[consumer(user = (), permission = "Staff & (IsAuthenticated | Banned | !IsAuthenticated)")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
