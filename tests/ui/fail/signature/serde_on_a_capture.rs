// `#[serde]` on a capture: serde reads only message arguments.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
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
