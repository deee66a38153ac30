// `cancel =` without a value.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action(cancel =)]
    async fn ping(&self) {}
}

fn main() {}
