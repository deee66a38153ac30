// A rate without a unit.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "10")]
    async fn ping(&self) {}
}

fn main() {}
