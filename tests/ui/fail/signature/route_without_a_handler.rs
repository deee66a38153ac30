// A `#[route]` method without a return type.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) {}
}

fn main() {}
