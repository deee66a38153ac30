// An argument type that cannot be read from a message: one error, at the type.

use portcullis::{AllowAny, handler};

struct Rooms;
struct Draft;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, text: String, draft: Draft) {
        let _ = (text, draft);
    }
}

fn main() {}
