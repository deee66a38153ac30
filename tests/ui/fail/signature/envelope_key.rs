// The envelope has the key `request_id` already.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self, request_id: u32) {
        let _ = request_id;
    }
}

fn main() {}
