// A long expression that can never hold. The message shows the two leaves that contradict each other.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Banned;
struct Staff;

#[consumer(user = (), permission = "Staff & IsAuthenticated & !Banned & !IsAuthenticated")]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
