// A parameter named `_`: its name is the key in the message.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self, _: u32) {}
}

fn main() {}
