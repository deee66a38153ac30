// A type behind the colon of a capture, where a regex belongs.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{room_id:u32}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
