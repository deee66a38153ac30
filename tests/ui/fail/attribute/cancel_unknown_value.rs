// A value of `cancel` that does not exist.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(cancel = abort)]
    async fn ping(&self) {}
}

fn main() {}
