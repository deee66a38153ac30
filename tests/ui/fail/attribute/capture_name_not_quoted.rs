// The name of a capture in `#[path(..)]` must be a string literal.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn read(&self, #[path(room_id)] id: u64) {
        let _ = id;
    }
}

fn main() {}
