// Two consecutive slashes.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms//{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
