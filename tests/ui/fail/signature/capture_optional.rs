// An optional capture.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn show(&self, #[path] room_id: Option<u32>) {
        let _ = room_id;
    }
}

fn main() {}
