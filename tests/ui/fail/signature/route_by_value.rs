// A `#[route]` method that returns its handler by value instead of by reference.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> Rooms {
        Rooms
    }
}

fn main() {}
