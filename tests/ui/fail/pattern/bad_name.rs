// The name of a capture is not a valid identifier.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{room-id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
