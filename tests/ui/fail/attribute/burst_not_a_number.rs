// A burst that is not a number.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate = "10/s", burst = many)]
    async fn ping(&self) {}
}

fn main() {}
