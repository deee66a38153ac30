// A capture that the mount does not provide. The message quotes the pattern and names the capture to add.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn read(&self, #[path] room_id: u64) {
        let _ = room_id;
    }
}

fn main() {}
