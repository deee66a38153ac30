// A capture that two nested mounts do not provide. The error is at the consumer, which knows the whole route.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Rooms);
struct Rooms(Messages);
struct Messages;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{id}/")]
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
    async fn read(&self, #[path] room_id: u64, #[path] message_id: u64) {
        let _ = (room_id, message_id);
    }
}

fn main() {}
