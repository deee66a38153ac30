// A fraction of the longest unit.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "0.5/h")]
    async fn ping(&self) {}
}

fn main() {}
