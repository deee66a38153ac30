// Two patterns that differ only in the name of a capture: both are reported, the later one first.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }

    #[route("rooms/{hall_id}/")]
    fn halls(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
