// A handler with `permission = inherited`, mounted where no parent permission exists.

use portcullis::{consumer, handler};

struct Chat(Rooms);
struct Rooms;

#[consumer]
impl Chat {
    #[route("rooms/{id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = inherited)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
