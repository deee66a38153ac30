// `#[connect]` in a `#[handler]` block: only consumers accept connections.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[connect]
    async fn hello(&self) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
