// A destructured parameter: its name is the key in the message, so it needs one.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, (x, y): (u32, u32)) {
        let _ = x + y;
    }
}

fn main() {}
