// A serde attribute that names a function needs a type without borrowed data.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, #[serde(deserialize_with = "trimmed")] text: &str) {
        let _ = text;
    }
}

fn main() {}
