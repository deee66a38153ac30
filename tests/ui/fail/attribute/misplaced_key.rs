// `connect` on `#[handler]`: the key is only valid on `#[consumer]`.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(user = (), permission = IsAuthenticated, connect = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
