// A parameter named `request_id`, which is a key of the envelope.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, request_id: u32) {
        let _ = request_id;
    }
}

fn main() {}
