// An extractor that is none: one error, at its type.

use portcullis::{IsAuthenticated, handler};

struct Rooms;
struct Caller;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, #[extract] caller: Caller) {
        let _ = caller;
    }
}

fn main() {}
