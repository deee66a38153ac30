//! Overlapping patterns that are not ambiguous: the more specific one comes first, or routing falls through to a later
//! pattern.

use portcullis::{AllowAny, IsAuthenticated, consumer, handler};

struct Chat(Rooms);
struct Rooms;

#[consumer]
impl Chat {
    #[route("rooms/")]
    fn all(&self) -> &Rooms {
        &self.0
    }

    #[route("rooms/new/")]
    fn fresh(&self) -> &Rooms {
        &self.0
    }

    #[route("rooms/{room_id:[0-9]+}/")]
    fn by_id(&self) -> &Rooms {
        &self.0
    }

    #[route(r"years/{year:\d{4}}/")]
    fn year(&self) -> &Rooms {
        &self.0
    }

    #[route("rooms/{name:[a-z]{2,}}/", permission = AllowAny)]
    fn by_name(&self) -> &Rooms {
        &self.0
    }

    #[route("rooms/{other}/")]
    fn other(&self) -> &Rooms {
        &self.0
    }

    #[route("rooms/{other}")]
    fn without_slash(&self) -> &Rooms {
        &self.0
    }

    #[route("{*rest}")]
    fn rest(&self) -> &Rooms {
        &self.0
    }
}

#[handler(user = (), permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
