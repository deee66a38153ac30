// Two captures with the same name in one pattern.

use portcullis::{IsAuthenticated, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{id}/messages/{id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
