// The name of a capture is a string.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn read(&self, #[path(room_id)] id: u64) {
        let _ = id;
    }
}

fn main() {}
