// A route hidden by a `{*rest}` capture above it.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("{*path}")]
    fn files(&self) -> &Rooms {
        &self.0
    }

    #[route("rooms/new")]
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
