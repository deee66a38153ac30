// A parameter named `request_id`, which is a key of the envelope.

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
