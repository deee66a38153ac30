// A capture without a name.

use portcullis::{AllowAny, consumer};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

fn main() {}
