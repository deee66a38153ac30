// A type in `connect` that does not implement `Permission`: one error.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Ticket(u8);

#[consumer(permission = IsAuthenticated, connect = Ticket(3))]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
