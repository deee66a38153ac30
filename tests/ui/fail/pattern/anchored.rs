// An anchor of a regular expression in a segment.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("^rooms/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
