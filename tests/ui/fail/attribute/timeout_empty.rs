// An empty time limit.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(timeout = "")]
    async fn ping(&self) {}
}

fn main() {}
