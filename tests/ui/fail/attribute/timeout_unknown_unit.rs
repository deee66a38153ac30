// A time limit in hours.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(timeout = "2h")]
    async fn ping(&self) {}
}

fn main() {}
