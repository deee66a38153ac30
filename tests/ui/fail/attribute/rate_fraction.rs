// A rate that is not a whole number.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "1.5/s")]
    async fn ping(&self) {}
}

fn main() {}
