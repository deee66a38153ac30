// `#[action]` and `#[route]` on one method.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[action]
    #[route("rooms/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
