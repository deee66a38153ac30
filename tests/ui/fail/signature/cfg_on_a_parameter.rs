// `#[cfg]` on a parameter: put it on the method instead.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, #[cfg(debug_assertions)] trace: bool) {
        let _ = trace;
    }
}

fn main() {}
