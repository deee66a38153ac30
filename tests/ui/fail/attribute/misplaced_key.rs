// A handler has no door. The message says where `connect` goes.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated, connect = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
