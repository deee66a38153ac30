// The same in an `Option`.

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
