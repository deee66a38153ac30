// A serde rename gives an argument the name of an envelope key.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, #[serde(rename = "action")] what: u32) {
        let _ = what;
    }
}

fn main() {}
