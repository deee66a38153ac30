// A named lifetime parameter on an action: lifetimes must be elided.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping<'a>(&'a self, text: &'a str) {
        let _ = text;
    }
}

fn main() {}
