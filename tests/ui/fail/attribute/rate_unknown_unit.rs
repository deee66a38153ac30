// An unknown unit of a rate.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "5/day")]
    async fn ping(&self) {}
}

fn main() {}
