// `cancel = drop` on a plain `fn`.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action(cancel = drop)]
    fn ping(&self) {}
}

fn main() {}
