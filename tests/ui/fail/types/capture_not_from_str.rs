// A capture of a type that cannot be made from text.

use portcullis::{IsAuthenticated, handler};

struct Rooms;
struct RoomId;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn read(&self, #[path] room_id: RoomId) {
        let _ = room_id;
    }
}

fn main() {}
