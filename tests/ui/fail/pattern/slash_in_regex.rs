// A `/` in the regex of a capture, which matches only one segment.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("files/{path:[a-z]+/[a-z]+}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
