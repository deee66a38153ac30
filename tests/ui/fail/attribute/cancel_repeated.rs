// `cancel` twice.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(cancel = drop, cancel = drop)]
    async fn ping(&self) {}
}

fn main() {}
