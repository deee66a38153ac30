// Two captures with the same name in one pattern.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{id}/messages/{id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
