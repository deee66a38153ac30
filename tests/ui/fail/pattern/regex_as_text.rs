// A regex outside of braces.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/[0-9]+/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
