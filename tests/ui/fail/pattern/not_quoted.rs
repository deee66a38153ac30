// The pattern must be a string literal.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route(rooms)]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
