// The envelope has the key `action` already, whatever the parameter is called.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self, #[serde(rename = "action")] what: u32) {
        let _ = what;
    }
}

fn main() {}
