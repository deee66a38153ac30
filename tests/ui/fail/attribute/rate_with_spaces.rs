// A rate with spaces.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "10 / s")]
    async fn ping(&self) {}
}

fn main() {}
