// `rate` on a route.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/", rate = "10/s")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
