// A type behind the colon of a capture, where a regex belongs.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{room_id:u32}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
