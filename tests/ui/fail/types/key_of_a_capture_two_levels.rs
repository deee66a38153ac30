// An outer route captures the key: the error is reported at the consumer, which alone knows the whole route.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Rooms);
struct Rooms(Messages);
struct Messages;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = AllowAny)]
impl Rooms {
    #[route("messages/{message_id}")]
    fn messages(&self) -> &Messages {
        &self.0
    }
}

#[handler(permission = AllowAny)]
impl Messages {
    #[action]
    async fn move_to(&self, room_id: u64, #[path] message_id: u64) {
        let _ = (room_id, message_id);
    }
}

fn main() {}
