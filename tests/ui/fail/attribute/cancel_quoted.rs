// The value of `cancel` in quotes.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action(cancel = "drop")]
    async fn ping(&self) {}
}

fn main() {}
