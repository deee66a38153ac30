// A unit of a rate by another name.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "5/hour")]
    async fn ping(&self) {}
}

fn main() {}
