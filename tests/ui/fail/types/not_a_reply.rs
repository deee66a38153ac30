// A reply that does not implement `Serialize`: one error, at the return type.

use portcullis::{IsAuthenticated, handler};

struct Rooms;
struct Sent;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self) -> Sent {
        Sent
    }
}

fn main() {}
