// A route hidden by one above it whose regex matches its fixed segment.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{name:[a-z]+}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }

    #[route("rooms/new/")]
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
