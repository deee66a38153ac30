// An inner pattern captures under a name that an outer one has already.

use portcullis::{IsAuthenticated, consumer, handler};

struct Chat(Rooms);
struct Rooms(Messages);
struct Messages;

#[consumer(permission = IsAuthenticated)]
impl Chat {
    #[route("rooms/{id}/")]
    fn rooms(&self) -> &Rooms {
        &self.0
    }
}

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[route("messages/{id}")]
    fn messages(&self) -> &Messages {
        &self.0
    }
}

#[handler(permission = IsAuthenticated)]
impl Messages {
    #[action]
    async fn read(&self) {}
}

fn main() {}
