// An action that takes `self`: all connections share the handler.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(self) {}
}

fn main() {}
