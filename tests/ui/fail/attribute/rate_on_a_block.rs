// `rate` on a block.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny, rate = "10/s")]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
