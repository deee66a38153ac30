// A type that does not implement `FromContext`: one error, at the type.

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
