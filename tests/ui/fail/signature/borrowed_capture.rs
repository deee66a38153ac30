// A capture is parsed from the route, so it cannot be borrowed.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, #[path] room: &str) {
        let _ = room;
    }
}

fn main() {}
