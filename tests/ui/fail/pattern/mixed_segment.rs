// Text and a capture in one segment. The message suggests two alternatives.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("room-{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
