// `cancel = drop` on a `blocking` action.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action(blocking, cancel = drop)]
    fn ping(&self) {}
}

fn main() {}
