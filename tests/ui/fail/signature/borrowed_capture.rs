// A borrowed capture: captures are parsed from the route and must be owned.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, #[path] room: &str) {
        let _ = room;
    }
}

fn main() {}
