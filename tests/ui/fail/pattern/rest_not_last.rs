// A segment after `{*rest}`, which must be last.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("files/{*path}/versions/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
