// `cancel = drop` on a `blocking` action.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(blocking, cancel = drop)]
    fn ping(&self) {}
}

fn main() {}
