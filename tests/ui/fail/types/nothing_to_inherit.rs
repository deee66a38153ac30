// A handler that leans on what stands above, where nothing stands above.

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
