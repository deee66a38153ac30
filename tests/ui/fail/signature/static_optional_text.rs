// An optional argument cannot be `'static` either.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn send(&self, text: Option<&'static str>) {
        let _ = text;
    }
}

fn main() {}
