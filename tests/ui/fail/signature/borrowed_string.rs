// A `&String` argument: an owned type cannot be borrowed from a message.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, text: &String) {
        let _ = text;
    }
}

fn main() {}
