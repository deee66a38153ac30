// A regex with an unclosed character class, which extends over the rest of the pattern.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{room_id:[0-9}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
