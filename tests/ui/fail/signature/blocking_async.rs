// `blocking` on an `async fn`.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(blocking)]
    async fn ping(&self) {}
}

fn main() {}
