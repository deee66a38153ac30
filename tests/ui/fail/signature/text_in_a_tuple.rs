// A `&str` inside of a tuple cannot hold a string with escapes.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, pair: Option<(u8, &str)>) {
        let _ = pair;
    }
}

fn main() {}
