// An argument borrows from its message, which is not `'static`.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, text: &'static str) {
        let _ = text;
    }
}

fn main() {}
