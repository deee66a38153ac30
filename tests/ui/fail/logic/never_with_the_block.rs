// The permission of the action contradicts that of its handler.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(user = (), permission = IsAuthenticated)]
impl Rooms {
    #[action(permission = "!IsAuthenticated")]
    async fn ping(&self) {}
}

fn main() {}
