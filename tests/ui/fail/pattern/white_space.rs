// White space in a pattern.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("my rooms/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
