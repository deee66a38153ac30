// An `async` `#[route]` method.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{room_id}/")]
    async fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
