// `timeout` on a block.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny, timeout = "5s")]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
