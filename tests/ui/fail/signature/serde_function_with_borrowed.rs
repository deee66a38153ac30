// A function that serde calls needs a type that stands on its own.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self, #[serde(deserialize_with = "trimmed")] text: &str) {
        let _ = text;
    }
}

fn main() {}
