// `#[path]` on the context, which is not a capture.

use portcullis::{AllowAny, Context, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, #[path] cx: &Context<'_, ()>) {
        let _ = cx;
    }
}

fn main() {}
