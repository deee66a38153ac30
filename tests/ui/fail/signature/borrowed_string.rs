// A `&String` argument: an owned type cannot be borrowed from a message.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, text: &String) {
        let _ = text;
    }
}

fn main() {}
