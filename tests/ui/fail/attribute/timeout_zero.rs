// A time limit of zero.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(timeout = "0s")]
    async fn ping(&self) {}
}

fn main() {}
