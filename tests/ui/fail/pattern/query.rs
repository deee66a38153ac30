// A query string in a pattern.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms?page={page}")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
