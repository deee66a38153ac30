// A time limit with a fraction.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(timeout = "1.5s")]
    async fn ping(&self) {}
}

fn main() {}
