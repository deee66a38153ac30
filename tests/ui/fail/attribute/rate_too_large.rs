// A rate that is too large.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "4294967296/s")]
    async fn ping(&self) {}
}

fn main() {}
