// A segment after `{*rest}`, which must be last.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("files/{*path}/versions/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
