// A burst of zero.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "10/s", burst = 0)]
    async fn ping(&self) {}
}

fn main() {}
