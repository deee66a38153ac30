// An argument type that cannot be read from a message: one error, at the type.

use portcullis::{IsAuthenticated, handler};

struct Rooms;
struct Draft;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, text: String, draft: Draft) {
        let _ = (text, draft);
    }
}

fn main() {}
