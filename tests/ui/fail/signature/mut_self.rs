// All connections share the handler. The message says how to keep what changes.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&mut self) {}
}

fn main() {}
