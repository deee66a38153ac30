// A regex outside of braces.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/[0-9]+/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
