// The name of a capture is not a valid identifier.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{room-id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
