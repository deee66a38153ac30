// A capture in angle brackets. The message gives the correct syntax.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/<int:room_id>/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
