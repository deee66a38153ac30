// An optional argument of type `&'static str`.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn send(&self, text: Option<&'static str>) {
        let _ = text;
    }
}

fn main() {}
