// A `&str` inside of a list cannot hold a string with escapes.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, tags: Vec<&str>) {
        let _ = tags;
    }
}

fn main() {}
