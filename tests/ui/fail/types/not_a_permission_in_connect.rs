// A type in `connect` that does not implement `Permission`: one error.

use portcullis::{AllowAny, consumer};

struct Chat;
struct Ticket(u8);

#[consumer(permission = AllowAny, connect = Ticket(3))]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
