// A time limit that no number of milliseconds can hold.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(timeout = "18446744073709551615m")]
    async fn ping(&self) {}
}

fn main() {}
