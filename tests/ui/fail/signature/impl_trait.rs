// `impl` in a parameter is a type parameter too.

use portcullis::{IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self, text: impl Into<String> + Send) {
        let _ = text.into();
    }
}

fn main() {}
