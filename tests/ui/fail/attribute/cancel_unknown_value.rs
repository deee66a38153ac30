// A value of `cancel` that does not exist.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action(cancel = abort)]
    async fn ping(&self) {}
}

fn main() {}
