// Captures are not read by serde.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(
        &self,
        #[path]
        #[serde(default)]
        id: u32,
    ) {
        let _ = id;
    }
}

fn main() {}
