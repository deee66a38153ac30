// A named group of a Django pattern.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route(r"rooms/(?P<room_id>[0-9]+)/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
