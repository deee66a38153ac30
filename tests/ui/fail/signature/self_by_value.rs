// An action that takes `self`: all connections share the handler.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(self) {}
}

fn main() {}
