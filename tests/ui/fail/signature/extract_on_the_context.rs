// `#[extract]` on the context, which needs no extractor.

use portcullis::{AllowAny, Context, handler};

struct Rooms;

#[handler(permission = AllowAny)]
impl Rooms {
    #[action]
    async fn ping(&self, #[extract] cx: &Context<'_, ()>) {
        let _ = cx;
    }
}

fn main() {}
