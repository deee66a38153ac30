// A reply that does not implement `Serialize`: one error, at the return type.

use portcullis::{AllowAny, handler};

struct Rooms;
struct Sent;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self) -> Sent {
        Sent
    }
}

fn main() {}
