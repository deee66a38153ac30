// `rate` without a value.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(rate)]
    async fn ping(&self) {}
}

fn main() {}
