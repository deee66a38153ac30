// A reference to a type that owns its value.

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
