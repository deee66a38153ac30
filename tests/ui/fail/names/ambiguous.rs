// Two patterns match the same route and neither is more specific. The message gives such a route.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("{kind}/new/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }

    #[route("rooms/{room_id}/")]
    fn fresh(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
