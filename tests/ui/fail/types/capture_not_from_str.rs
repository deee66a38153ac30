// A capture of a type that does not implement `FromStr`.

use portcullis::{AllowAny, handler};

struct Rooms;
struct RoomId;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn read(&self, #[path] room_id: RoomId) {
        let _ = room_id;
    }
}

fn main() {}
