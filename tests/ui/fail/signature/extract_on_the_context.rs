// `#[extract]` on the context, which needs no extractor.

use portcullis::{Context, IsAuthenticated, handler};

struct Rooms;

#[handler(permission = IsAuthenticated)]
impl Rooms {
    #[action]
    async fn ping(&self, #[extract] cx: &Context<'_, ()>) {
        let _ = cx;
    }
}

fn main() {}
