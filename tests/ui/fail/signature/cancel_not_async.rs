// `cancel = drop` on a plain `fn`.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(cancel = drop)]
    fn ping(&self) {}
}

fn main() {}
