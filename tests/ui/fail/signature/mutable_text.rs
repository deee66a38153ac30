// A `&mut str` argument: a message cannot be borrowed mutably.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, text: &mut str) {
        let _ = text;
    }
}

fn main() {}
