// A list in a message is JSON, not the bytes themselves.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, bytes: &[u8]) {
        let _ = bytes;
    }
}

fn main() {}
