// A `#[route]` method takes only `&self`; captures are read in the actions of its handler.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{room_id}/")]
    fn rooms(&self, room_id: u64) -> &Rooms {
        let _ = room_id;
        &self.0
    }
}

fn main() {}
