// A named group of a Django pattern.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route(r"rooms/(?P<room_id>[0-9]+)/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
