// A `&[u8]` argument: a JSON list cannot be borrowed as bytes.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, bytes: &[u8]) {
        let _ = bytes;
    }
}

fn main() {}
