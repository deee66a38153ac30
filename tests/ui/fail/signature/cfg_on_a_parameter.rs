// `#[cfg]` on a parameter: put it on the method instead.

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
