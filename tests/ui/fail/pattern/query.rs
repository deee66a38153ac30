// A query string in a pattern.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms?page={page}")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
