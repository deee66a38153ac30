// A borrowed capture: captures are parsed from the route and must be owned.

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
