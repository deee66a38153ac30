// An optional argument of type `&'static str`.

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
