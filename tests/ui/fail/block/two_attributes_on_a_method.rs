// `#[action]` and `#[route]` on one method.

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
