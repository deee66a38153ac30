// `impl Trait` in a parameter is a type parameter, which a client cannot choose.

use portcullis::{AllowAny, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, text: impl Into<String> + Send) {
        let _ = text.into();
    }
}

fn main() {}
