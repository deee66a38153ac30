// A borrowed number: numbers are parsed from JSON and must be owned.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, count: Option<&u32>) {
        let _ = count;
    }
}

fn main() {}
