// A `&str` inside of a list cannot hold a string with escapes.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, tags: Vec<&str>) {
        let _ = tags;
    }
}

fn main() {}
