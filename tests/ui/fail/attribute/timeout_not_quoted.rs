// A time limit that is no string.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(timeout = 5)]
    async fn ping(&self) {}
}

fn main() {}
