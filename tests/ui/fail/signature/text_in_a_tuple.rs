// A `&str` inside of a tuple cannot hold a string with escapes.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, pair: Option<(u8, &str)>) {
        let _ = pair;
    }
}

fn main() {}
