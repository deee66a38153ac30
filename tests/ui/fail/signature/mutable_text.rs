// A `&mut str` argument: a message cannot be borrowed mutably.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, text: &mut str) {
        let _ = text;
    }
}

fn main() {}
