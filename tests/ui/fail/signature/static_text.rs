// An argument of type `&'static str`: arguments borrow from the message.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, text: &'static str) {
        let _ = text;
    }
}

fn main() {}
