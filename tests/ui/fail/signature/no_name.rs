// A parameter named `_`: its name is the key in the message.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, _: u32) {}
}

fn main() {}
