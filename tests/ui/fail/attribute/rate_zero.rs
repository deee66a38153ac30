// A rate of zero.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "0/s")]
    async fn ping(&self) {}
}

fn main() {}
