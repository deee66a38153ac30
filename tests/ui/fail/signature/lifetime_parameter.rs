// A named lifetime parameter on an action: lifetimes must be elided.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping<'a>(&'a self, text: &'a str) {
        let _ = text;
    }
}

fn main() {}
