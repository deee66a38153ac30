// A negative time limit.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(timeout = "-5s")]
    async fn ping(&self) {}
}

fn main() {}
