// `AllowAny` on an action does not undo what its handler asks.

use portcullis::{AllowAny, IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action(permission = AllowAny)]
    async fn ping(&self) {}
}

fn main() {}
