// All connections share the handler, so no action can take it.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(self) {}
}

fn main() {}
