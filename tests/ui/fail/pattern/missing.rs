// `#[route]` without a pattern. The message shows an example.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
