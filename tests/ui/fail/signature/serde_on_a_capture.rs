// `#[serde]` on a capture: serde reads only message arguments.

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
