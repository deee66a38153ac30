// The same, where the first is a regex that matches the text of the second.

use portcullis::{IsAuthenticated, consumer, handler};

struct Chat(Rooms);
struct Rooms;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{name:[a-z]+}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }

    #[route("rooms/new/")]
    fn fresh(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
