// The action asks for the opposite of what its handler asks.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action(permission = "!IsAuthenticated")]
    async fn ping(&self) {}
}

fn main() {}
