// A quoted burst.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "10/s", burst = "20")]
    async fn ping(&self) {}
}

fn main() {}
