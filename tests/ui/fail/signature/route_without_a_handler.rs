// A `#[route]` method without a return type.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) {}
}

fn main() {}
