// A burst with a suffix.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "10/s", burst = 20s)]
    async fn ping(&self) {}
}

fn main() {}
