// Clients, logs and audits show the name, so it is plain. The odd letter is named.

use portcullis::{IsAuthenticated, consumer};

struct Chat;

#[consumer]
impl Chat {
    #[action(permission = IsAuthenticated, name = "ping all")]
    async fn ping(&self) {}
}

fn main() {}
