// `cancel` twice.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action(cancel = drop, cancel = drop)]
    async fn ping(&self) {}
}

fn main() {}
