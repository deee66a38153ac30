// `rate` twice.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "10/s", rate = "100/min")]
    async fn ping(&self) {}
}

fn main() {}
