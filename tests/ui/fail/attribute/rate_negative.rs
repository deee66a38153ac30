// A negative rate.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "-1/s")]
    async fn ping(&self) {}
}

fn main() {}
