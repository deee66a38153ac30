// `timeout` twice.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(timeout = "5s", timeout = "6s")]
    async fn ping(&self) {}
}

fn main() {}
