// An invalid regex. The message quotes the reason in one line.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{room_id:[0-9]+(}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
