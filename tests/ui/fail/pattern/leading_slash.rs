// A leading slash: patterns are relative. The message gives the pattern without it.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("/rooms/{room_id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
