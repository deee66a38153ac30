// A `&[u8]` argument: a JSON list cannot be borrowed as bytes.

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
