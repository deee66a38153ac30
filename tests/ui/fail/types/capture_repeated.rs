// An inner pattern repeats the name of a capture of the outer pattern.

use portcullis::{AllowAny, consumer, handler};

struct Chat(Rooms);
struct Rooms(Messages);
struct Messages;

#[consumer(permission = AllowAny)]
impl Chat {
    #[route("rooms/{id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = AllowAny)]
impl Rooms {
    #[route("messages/{id}")]
    fn messages(&self) -> &Messages {
        &self.0
    }
}

#[handler(permission = AllowAny)]
impl Messages {
    #[action]
    async fn read(&self) {}
}

fn main() {}
