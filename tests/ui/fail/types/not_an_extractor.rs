// A type that does not implement `FromContext`: one error, at the type.

use portcullis::{AllowAny, handler};

struct Rooms;
struct Caller;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, #[extract] caller: Caller) {
        let _ = caller;
    }
}

fn main() {}
