// `#[route]` outside of a `#[consumer]` or `#[handler]` block.

use portcullis::route;

struct Chat(Rooms);
struct Rooms;

impl Chat {
    #[route("rooms/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
