// A leaf of `connect` that is no permission: one error.

use portcullis::{IsAuthenticated, consumer};

struct Chat;
struct Ticket(u8);

#[consumer(permission = IsAuthenticated, connect = Ticket(3))]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
