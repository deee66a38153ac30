// A time limit without a unit.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(timeout = "5")]
    async fn ping(&self) {}
}

fn main() {}
