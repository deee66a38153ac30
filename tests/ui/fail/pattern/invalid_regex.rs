// An invalid regex. The message quotes the reason in one line.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{room_id:[0-9]+(}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
