// `in_order` on an action that returns nothing.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(in_order)]
    async fn ping(&self) {}
}

fn main() {}
