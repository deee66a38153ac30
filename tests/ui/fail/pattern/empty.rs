// An empty pattern.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
