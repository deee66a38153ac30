// `detached` on a plain `fn` that is not `blocking`.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action(detached)]
    fn ping(&self) {}
}

fn main() {}
