// Two routes that match the same paths, with different `#[cfg]`s that both hold.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

struct Users {
    rooms: Rooms,
}

#[handler]
impl Users {
    #[cfg(not(test))]
    #[route("rooms/{id:[0-9]+}/")]
    fn first(&self) -> &Rooms {
        &self.rooms
    }

    #[cfg(debug_assertions)]
    #[route("rooms/{room:[0-9]+}/")]
    fn second(&self) -> &Rooms {
        &self.rooms
    }
}

fn main() {}
