// A borrowed number: numbers are parsed from JSON and must be owned.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, count: Option<&u32>) {
        let _ = count;
    }
}

fn main() {}
