// A capture as other routers write it. The message gives the spelling of this one.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/:room_id/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
