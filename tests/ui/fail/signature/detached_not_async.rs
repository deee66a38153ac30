// `detached` on a plain `fn` that is not `blocking`.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(detached)]
    fn ping(&self) {}
}

fn main() {}
