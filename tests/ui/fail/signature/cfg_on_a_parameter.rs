// Arguments cannot come and go; methods can.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self, #[cfg(debug_assertions)] trace: bool) {
        let _ = trace;
    }
}

fn main() {}
