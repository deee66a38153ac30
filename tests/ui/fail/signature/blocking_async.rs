// `blocking` on an `async fn`.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action(blocking)]
    async fn ping(&self) {}
}

fn main() {}
