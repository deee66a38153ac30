// Strings inside of a list: one that is written with escapes could not be borrowed.

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
