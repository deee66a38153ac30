// A method that is an action and a route.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[action]
    #[route("rooms/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
