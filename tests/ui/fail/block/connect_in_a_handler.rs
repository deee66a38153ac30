// `#[connect]` in a `#[handler]` block: only consumers accept connections.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[connect]
    async fn hello(&self) {}

    #[action]
    async fn ping(&self) {}
}

fn main() {}
